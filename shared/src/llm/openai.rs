//! Chat completions, as `OpenAI` and many others speak them: `POST /chat/completions`.
use futures::{FutureExt, future::BoxFuture};
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::json;

use super::{Ask, Fault, FaultCode, Llm, Said, endpoint::post};
use crate::http::Service;

/// Where it is, unless the settings say otherwise.
pub(super) const BASE: &str = "https://api.openai.com/v1";

pub(super) struct Openai {
    service: Service,
    model: String,
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    model: Option<String>,
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: i64,
    completion_tokens: i64,
}

impl Openai {
    pub(super) fn new(service: Service, key: Option<&str>, model: &str) -> anyhow::Result<Self> {
        let service = match key {
            Some(key) => service.with(AUTHORIZATION, &format!("Bearer {key}"))?,
            None => service,
        };
        Ok(Self { service, model: model.to_owned() })
    }
}

impl Llm for Openai {
    fn model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Said, Fault>> {
        async move {
            let body = json!({
                "model": self.model,
                "messages": [
                    { "role": "system", "content": ask.system },
                    { "role": "user", "content": ask.query },
                ],
            });
            let completion: Completion = post(&self.service, "/chat/completions", &body, ask.now).await?;
            let choice = completion.choices.into_iter().next().ok_or(FaultCode::AnswerUnreadable)?;
            let Message { content, refusal } = choice.message;
            let (is_refusal, finish) = (refusal.is_some(), choice.finish_reason.unwrap_or_default());
            let usage = completion.usage;
            Ok(Said {
                text: content.or(refusal).unwrap_or_default(),
                model: completion.model,
                input_tokens: usage.as_ref().map(|usage| usage.prompt_tokens),
                output_tokens: usage.as_ref().map(|usage| usage.completion_tokens),
                is_cut_off: finish == "length",
                is_refusal: is_refusal || finish == "content_filter",
            })
        }
        .boxed()
    }
}
