//! Language models that are asked for a text, and what goes wrong with them. Which ones there are says the configuration,
//! never a request.
mod anthropic;
mod bedrock_proxy;
mod endpoint;
pub mod frame;
mod interpreter;
mod openai;
mod rules;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{clock::Timestamp, config::Settings, http::Service, lint, names::names};

/// Who can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LlmService {
    /// An interpreter: one text in, one text out.
    Interpreter,
    /// A proxy of the models of Bedrock.
    BedrockProxy,
    /// Anything that speaks as the chat completions of `OpenAI` do.
    Openai,
    /// The messages of Anthropic.
    Anthropic,
    /// No model: the changes that the lint offers. Always there.
    Rules,
}

names!(LlmService {
    Interpreter = "interpreter",
    BedrockProxy = "bedrock-proxy",
    Openai = "openai",
    Anthropic = "anthropic",
    Rules = "rules",
});

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// How to answer, and what with.
    pub system: &'a str,
    /// The question.
    pub query: &'a str,
    /// On whose behalf.
    pub user_id: Option<&'a str>,
    /// The prompt in question, for who reads no words.
    pub prompt: &'a lint::Text<'a>,
    /// The present.
    pub now: Timestamp,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// All of it.
    pub text: String,
    /// Which model says it was.
    pub model: Option<String>,
    /// What it read, if it says so.
    pub input_tokens: Option<i64>,
    /// What it wrote, if it says so.
    pub output_tokens: Option<i64>,
    /// Did it come to the most that it may write?
    pub is_cut_off: bool,
    /// Did it say that it will not?
    pub is_refusal: bool,
}

/// Why there is no answer, as people may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultCode {
    /// Nobody was reached, or the connection broke.
    ServiceUnreachable,
    /// The configuration leads to where requests may not go.
    ServiceBlocked,
    /// It took too long.
    ServiceTimeout,
    /// It was asked too often.
    ServiceBusy,
    /// It had an error of its own.
    ServiceError,
    /// It does not know our key.
    ServiceDenied,
    /// It will not take the request.
    ServiceRejected,
    /// The answer is larger than anybody reads.
    AnswerTooLarge,
    /// The answer is not in the form that was agreed.
    AnswerUnreadable,
}

names!(FaultCode {
    ServiceUnreachable = "service-unreachable",
    ServiceBlocked = "service-blocked",
    ServiceTimeout = "service-timeout",
    ServiceBusy = "service-busy",
    ServiceError = "service-error",
    ServiceDenied = "service-denied",
    ServiceRejected = "service-rejected",
    AnswerTooLarge = "answer-too-large",
    AnswerUnreadable = "answer-unreadable",
});

impl FaultCode {
    /// Every one there is.
    pub(crate) const ALL: [Self; 9] = [
        Self::ServiceUnreachable,
        Self::ServiceBlocked,
        Self::ServiceTimeout,
        Self::ServiceBusy,
        Self::ServiceError,
        Self::ServiceDenied,
        Self::ServiceRejected,
        Self::AnswerTooLarge,
        Self::AnswerUnreadable,
    ];

    /// Might the next try succeed, without anybody doing anything?
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::ServiceUnreachable | Self::ServiceTimeout | Self::ServiceBusy | Self::ServiceError)
    }

    /// Did the service not even begin?
    #[must_use]
    pub fn is_free(self) -> bool {
        matches!(self, Self::ServiceBlocked | Self::ServiceBusy | Self::ServiceDenied | Self::ServiceRejected)
    }

    /// What happened and what to do, in a sentence.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::ServiceUnreachable => "the service could not be reached, or broke the connection; see that it runs",
            Self::ServiceBlocked => "requests may not go to the service's address; see the setting of its address",
            Self::ServiceTimeout => {
                "the service did not answer in time; try again, or raise PROMPT_STORE_LLM_TIMEOUT_MS"
            }
            Self::ServiceBusy => "the service is asked too often; try again later",
            Self::ServiceError => "the service had an error of its own; try again later",
            Self::ServiceDenied => "the service does not accept the key; see the setting of its key",
            Self::ServiceRejected => {
                "the service does not accept the request; see the settings of its address and model"
            }
            Self::AnswerTooLarge => "the answer is larger than 2 MiB; ask for less",
            Self::AnswerUnreadable => {
                "the answer is not in the form of this kind of service; see the setting of its address"
            }
        }
    }
}

/// There is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub code: FaultCode,
    /// How long the service asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl From<FaultCode> for Fault {
    fn from(code: FaultCode) -> Self {
        Self { code, retry_after: None }
    }
}

/// Somebody who can be asked.
pub trait Llm: Send + Sync {
    /// Which model it is asked for, if one is.
    fn model(&self) -> Option<&str>;

    /// Asks once.
    fn ask<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Said, Fault>>;
}

/// Those that are configured. Cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<BTreeMap<LlmService, Box<dyn Llm>>>);

impl Services {
    /// As the settings say.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let llm = &settings.llm;
        let mut services: BTreeMap<LlmService, Box<dyn Llm>> = BTreeMap::new();
        let at = |base: &str| Service::new(base, llm.llm_timeout);
        if let Some(base) = given(llm.interpreter_url.as_deref()) {
            services.insert(LlmService::Interpreter, Box::new(interpreter::Interpreter::new(at(base)?)));
        }
        if let Some(base) = given(llm.bedrock_proxy_url.as_deref()) {
            let model = given(llm.bedrock_proxy_model.as_deref()).map(str::to_owned);
            let proxy = bedrock_proxy::BedrockProxy::new(at(base)?, model);
            services.insert(LlmService::BedrockProxy, Box::new(proxy));
        }
        let (base, key) = (given(llm.openai_url.as_deref()), given(llm.openai_key.as_deref()));
        if base.or(key).is_some() {
            let service = at(base.unwrap_or(openai::BASE))?;
            services.insert(LlmService::Openai, Box::new(openai::Openai::new(service, key, &llm.openai_model)?));
        }
        let (base, key) = (given(llm.anthropic_url.as_deref()), given(llm.anthropic_key.as_deref()));
        if base.or(key).is_some() {
            let service = at(base.unwrap_or(anthropic::BASE))?;
            let anthropic = anthropic::Anthropic::new(service, key, &llm.anthropic_model)?;
            services.insert(LlmService::Anthropic, Box::new(anthropic));
        }
        services.insert(LlmService::Rules, Box::new(rules::Rules));
        Ok(Self(Arc::new(services)))
    }

    /// One of them, if it is configured.
    #[must_use]
    pub fn get(&self, service: LlmService) -> Option<&dyn Llm> {
        self.0.get(&service).map(|llm| &**llm)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = LlmService> {
        self.0.keys().copied()
    }
}

/// Set but empty is not set.
fn given(setting: Option<&str>) -> Option<&str> {
    setting.filter(|text| !text.is_empty())
}
