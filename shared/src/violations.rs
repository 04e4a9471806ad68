//! What is wrong with a request, gathered so that everything is told at once.
use crate::error::{Error, Result, Violation};

/// The fields at fault so far.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<Violation>);

impl Violations {
    /// This field is at fault.
    pub(crate) fn push(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.0.push(Violation::new(pointer, code, detail));
    }

    /// This field is at fault, unless it fits: `must be at most 7` follows its name.
    pub(crate) fn unless(&mut self, fits: bool, pointer: impl Into<String>, code: &'static str, must: &str) {
        if !fits {
            let pointer = pointer.into();
            let detail = format!("`{}` {must}", pointer.rsplit('/').next().unwrap_or(&pointer));
            self.push(pointer, code, detail);
        }
    }

    /// A number must be within bounds, which none that is no number is.
    pub(crate) fn within(&mut self, value: f64, (least, most): (f64, f64), pointer: impl Into<String>) {
        let must = format!("must be a number from {least} to {most}");
        self.unless((least..=most).contains(&value), pointer, "out-of-range", &must);
    }

    /// What was checked, if it is not at fault.
    pub(crate) fn take<T>(&mut self, checked: Result<T, Violation>) -> Option<T> {
        checked.map_err(|violation| self.0.push(violation)).ok()
    }

    /// Refuses the request, if anything is at fault.
    pub(crate) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::from_violations(self.0)) }
    }
}
