//! `-o FILE` of the commands that write something out, and how they write it.
use std::{
    io::{BufWriter, ErrorKind, Write},
    ops::ControlFlow,
    path::PathBuf,
};

use clap::Args;
use shared::{output::Output, start::Failure};

/// Where a command writes what it was asked for.
#[derive(Args)]
pub(super) struct Destination {
    /// Where to write: a file, which appears when it is whole, or a device or a pipe [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Destination {
    pub(super) fn open(&self) -> Result<Writing, Failure> {
        let output = Output::open(self.output.as_deref()).map_err(|error| Failure::Input(format!("{error:#}")))?;
        Ok(Writing(BufWriter::new(output)))
    }

    /// Writes a text that is there already.
    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        let mut writing = self.open()?;
        match writing.write(text.as_bytes())? {
            ControlFlow::Continue(()) => writing.finish(),
            ControlFlow::Break(()) => Ok(()),
        }
    }
}

/// A destination that is written to.
pub(super) struct Writing(BufWriter<Output>);

impl Writing {
    /// Breaks, if nobody reads standard output any more: whoever reads no further, as `head` does, has heard enough.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<ControlFlow<()>, Failure> {
        let written = self.0.write_all(bytes);
        self.heard_enough(written)
    }

    /// A file appears only now.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.0.flush();
        if self.heard_enough(flushed)?.is_break() {
            return Ok(());
        }
        let output = self.0.into_inner().map_err(|error| cannot_write(error.error()))?;
        output.finish().map_err(|error| Failure::Input(format!("{error:#}")))
    }

    fn heard_enough(&self, done: std::io::Result<()>) -> Result<ControlFlow<()>, Failure> {
        match done {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) if error.kind() == ErrorKind::BrokenPipe && self.0.get_ref().is_standard() => {
                Ok(ControlFlow::Break(()))
            }
            Err(error) => Err(cannot_write(&error)),
        }
    }
}

fn cannot_write(error: &std::io::Error) -> Failure {
    Failure::Input(format!("cannot write: {error}"))
}
