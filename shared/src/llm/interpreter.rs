//! An interpreter: `POST /interpret`.
use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::json;

use super::{Ask, Fault, Llm, Said, endpoint::post};
use crate::http::Service;

/// Who asks, where nobody is named.
const NOBODY: &str = "prompt-store";

pub(super) struct Interpreter(Service);

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    response_text: String,
}

impl Interpreter {
    pub(super) fn new(service: Service) -> Self {
        Self(service)
    }
}

impl Llm for Interpreter {
    fn model(&self) -> Option<&str> {
        None
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Said, Fault>> {
        async move {
            let query = format!("{}\n\n{}", ask.system, ask.query);
            let body = json!({ "query": query, "user_id": ask.user_id.unwrap_or(NOBODY) });
            let answer: Answer = post(&self.0, "/interpret", &body, ask.now).await?;
            Ok(Said { text: answer.data.response_text, ..Said::default() })
        }
        .boxed()
    }
}
