//! The messages of Anthropic: `POST /v1/messages`.
use futures::{FutureExt, future::BoxFuture};
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::json;

use super::{Ask, Fault, Llm, Said, endpoint::post, frame::OUTPUT_TOKENS_MAX};
use crate::http::Service;

/// Where it is, unless the settings say otherwise.
pub(super) const BASE: &str = "https://api.anthropic.com";
/// The version of the form of requests and answers.
const VERSION: &str = "2023-06-01";

pub(super) struct Anthropic {
    service: Service,
    model: String,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    model: Option<String>,
    content: Vec<Block>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<Usage>,
}

/// Of a block that is no text, nothing is read.
#[derive(Deserialize)]
struct Block {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: i64,
    output_tokens: i64,
}

impl Anthropic {
    pub(super) fn new(service: Service, key: Option<&str>, model: &str) -> anyhow::Result<Self> {
        let mut service = service.with(HeaderName::from_static("anthropic-version"), VERSION)?;
        if let Some(key) = key {
            service = service.with(HeaderName::from_static("x-api-key"), key)?;
        }
        Ok(Self { service, model: model.to_owned() })
    }
}

impl Llm for Anthropic {
    fn model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Said, Fault>> {
        async move {
            let body = json!({
                "model": self.model,
                "max_tokens": OUTPUT_TOKENS_MAX,
                "system": ask.system,
                "messages": [{ "role": "user", "content": ask.query }],
            });
            let message: Message = post(&self.service, "/v1/messages", &body, ask.now).await?;
            let stop = message.stop_reason.unwrap_or_default();
            Ok(Said {
                text: message.content.into_iter().filter_map(|block| block.text).collect(),
                model: message.model,
                input_tokens: message.usage.as_ref().map(|usage| usage.input_tokens),
                output_tokens: message.usage.as_ref().map(|usage| usage.output_tokens),
                is_cut_off: stop == "max_tokens",
                is_refusal: stop == "refusal",
            })
        }
        .boxed()
    }
}
