//! Server-sent events, as a client reads them.
use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use serde_json::Value;

/// An event of a stream: its id, or 0 where it has none, its name, its data.
pub type Told = (i64, String, Value);

/// A stream that somebody listens to.
pub struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    pub(crate) fn of(body: Body) -> Self {
        Self { body: body.into_data_stream(), text: String::new() }
    }

    /// The next event; none, if the stream has ended. Waits for it no longer than for any condition.
    pub async fn next(&mut self) -> Option<Told> {
        tokio::time::timeout(crate::PATIENCE, self.read()).await.expect("an event came in time")
    }

    async fn read(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                    let id = field("id: ").map_or(0, |id| id.parse().unwrap());
                    return Some((id, name.to_owned(), serde_json::from_str(data).unwrap()));
                }
                continue;
            }
            let chunk = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next so many.
    pub async fn take(&mut self, count: usize) -> Vec<Told> {
        let mut told = Vec::new();
        while told.len() < count {
            told.push(self.next().await.expect("the stream goes on"));
        }
        told
    }
}
