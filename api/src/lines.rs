//! A body of lines, each a JSON object, read as they arrive: however many there are, one is held at a time.
use std::{sync::Arc, time::Duration};

use axum::{
    body::BodyDataStream,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, request::Parts},
};
use futures::StreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::{Caller, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Door, extract, json, problem::Problem};

/// The most bytes of a line.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Streams take as long as they take, so they do not count among the requests that are worked, and have places of their
/// own.
pub(crate) const IMPORTS_AT_ONCE: usize = 16;
/// Each holds a connection to the database.
pub(crate) const EXPORTS_AT_ONCE: usize = 2;

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(places).try_acquire_owned().map_err(|_| {
        let detail = "too many streams are open; try again when one of them has ended";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
    })
}

/// A place to export at, for as long as it is held.
pub(crate) struct ExportPlace(pub(crate) OwnedSemaphorePermit);

impl FromRequestParts<Door> for ExportPlace {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, door: &Door) -> Result<Self, Problem> {
        place(&door.exports).map(Self)
    }
}

/// Is it a route whose body is read as it arrives, however long that takes?
pub(crate) fn is_stream(route: &str) -> bool {
    route == "/api/v1/bulk/import"
}

/// The lines of a body.
pub(crate) struct Lines {
    body: BodyDataStream,
    idle: Duration,
    buffer: Vec<u8>,
    /// Where the line begins in the buffer, and how far it was looked for its end.
    start: usize,
    seen: usize,
    number: i64,
    /// The rest of the line is passed over.
    is_too_long: bool,
    has_ended: bool,
    hash: Sha256,
    _place: OwnedSemaphorePermit,
}

/// A line that is not blank.
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: i64,
    pub(crate) bytes: usize,
    /// What it says, or why that cannot be read.
    pub(crate) object: Result<Value, Error>,
}

impl FromRequest<Door> for Lines {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Problem> {
        check_content_type(request.headers())?;
        let place = place(&door.imports)?;
        Ok(Self {
            body: request.into_body().into_data_stream(),
            idle: door.edge.stream_idle,
            buffer: Vec::new(),
            start: 0,
            seen: 0,
            number: 0,
            is_too_long: false,
            has_ended: false,
            hash: Sha256::new(),
            _place: place,
        })
    }
}

/// As for JSON, with the names that lines of JSON go by.
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = extract::essence(headers);
    let is_lines = |kind: &str| {
        matches!(kind, "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/json")
    };
    if kind.is_some_and(|kind| is_lines(&kind)) || extract::may_be_anything(headers) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "the body must be lines of JSON; say `Content-Type: application/x-ndjson`",
    ))
}

impl Lines {
    /// The next line that is not blank; nothing, when the body has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>, Problem> {
        loop {
            let Some(line) = self.next_bytes().await? else { return Ok(None) };
            self.number += 1;
            let line = match self.number {
                1 => line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line),
                _ => &line,
            };
            if std::mem::take(&mut self.is_too_long) || line.len() > LINE_BYTES_MAX {
                let (code, detail) = ("too-long", "the line has more than 1 MiB".to_owned());
                let object = Err(Error::Invalid { code, detail, violations: Vec::new() });
                return Ok(Some(Line { number: self.number, bytes: 0, object }));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, bytes: line.len(), object: json::read(line) }));
            }
        }
    }

    /// A line without its end; of one that is too long, what is left of it.
    async fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        loop {
            if let Some(length) = self.buffer[self.seen..].iter().position(|byte| *byte == b'\n') {
                let end = self.seen + length;
                let line = self.buffer[self.start..end].to_vec();
                (self.start, self.seen) = (end + 1, end + 1);
                return Ok(Some(line));
            }
            self.buffer.drain(..self.start);
            (self.start, self.seen) = (0, self.buffer.len());
            if self.seen > LINE_BYTES_MAX {
                self.is_too_long = true;
                (self.buffer, self.seen) = (Vec::new(), 0);
            }
            if self.has_ended {
                let rest = std::mem::take(&mut self.buffer);
                self.seen = 0;
                return Ok((!rest.is_empty() || self.is_too_long).then_some(rest));
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<(), Problem> {
        match tokio::time::timeout(self.idle, self.body.next()).await {
            Ok(Some(Ok(bytes))) => {
                self.hash.update(&bytes);
                self.buffer.extend_from_slice(&bytes);
            }
            Ok(None) => self.has_ended = true,
            Ok(Some(Err(_))) => {
                let detail = "the body ended before it was whole";
                return Err(Problem::new(StatusCode::BAD_REQUEST, "body-broken", detail));
            }
            Err(_) => {
                let detail = format!("no line came for {} s; send them all again", self.idle.as_secs_f32());
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", detail));
            }
        }
        Ok(())
    }

    /// Who asks, with a fingerprint of everything that came.
    pub(crate) fn fingerprinted(self, caller: &Caller) -> Caller {
        let hash: String = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        caller.fingerprinted(&hash)
    }
}
