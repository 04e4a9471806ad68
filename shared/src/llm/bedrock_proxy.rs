//! A proxy of the models of Bedrock: `POST /invoke`.
use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::json;

use super::{Ask, Fault, Llm, Said, endpoint::post, frame::OUTPUT_TOKENS_MAX};
use crate::http::Service;

pub(super) struct BedrockProxy {
    service: Service,
    model: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    output: String,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Usage,
}

#[derive(Default, Deserialize)]
struct Usage {
    #[serde(default)]
    input_tokens: Option<i64>,
    #[serde(default)]
    output_tokens: Option<i64>,
}

impl BedrockProxy {
    pub(super) fn new(service: Service, model: Option<String>) -> Self {
        Self { service, model }
    }
}

impl Llm for BedrockProxy {
    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Said, Fault>> {
        async move {
            let prompt = format!("{}\n\n{}", ask.system, ask.query);
            let mut body = json!({ "prompt": prompt, "max_tokens": OUTPUT_TOKENS_MAX });
            if let Some(model) = &self.model {
                body["model"] = json!(model);
            }
            let answer: Answer = post(&self.service, "/invoke", &body, ask.now).await?;
            let Usage { input_tokens, output_tokens } = answer.usage;
            Ok(Said { text: answer.output, model: answer.model, input_tokens, output_tokens, ..Said::default() })
        }
        .boxed()
    }
}
