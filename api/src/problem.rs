//! RFC 9457 problem details: the only place where an error of the domain becomes a status code.
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use shared::{Error, Violation, clock::Timestamp, error::RACE};
use utoipa::ToSchema;

use crate::limits::Limited;

/// What every refused request is answered with.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem; its last segment is `code`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/prompt-name-taken")]
    kind: String,
    /// The kind of problem, for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// This very problem, for people, and what to do about it.
    detail: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    instance: String,
    /// Stable, for programs.
    code: &'static str,
    /// Quote it when you ask for help: every log line of the request has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
    /// The fields at fault, where fields are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// What integrations of the first version look for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    before_v2: Option<FailureBeforeV2>,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    limited: Option<Limited>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// JSON Pointer into the body; for a query parameter, `/` and its name.
    pointer: String,
    /// Stable, for programs.
    code: &'static str,
    /// For people.
    detail: String,
}

/// How the first version said that something went wrong.
#[derive(Clone, Debug, Serialize)]
struct FailureBeforeV2 {
    success: bool,
    message: String,
    data: Option<()>,
    timestamp: String,
}

/// Codes whose status is not that of their kind.
const STATUS_OF: [(&str, u16); 20] = [
    ("bad-cursor", 400),
    ("bad-idempotency-key", 400),
    ("bad-if-match", 400),
    ("bad-path", 400),
    ("bad-query", 400),
    ("json-syntax", 400),
    ("too-deep", 400),
    ("duplicate-key", 400),
    ("unauthenticated", 401),
    ("forbidden", 403),
    ("body-timeout", 408),
    ("archived", 410),
    ("events-gone", 410),
    ("version-mismatch", 412),
    ("if-match-required", 428),
    ("too-many", 429),
    ("too-many-operations", 429),
    ("too-many-items", 429),
    ("storage-full", 507),
    ("overloaded", 503),
];

impl Problem {
    /// A problem the door finds by itself.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let mut title = code.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self {
            kind: format!("/problems/{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            code,
            request_id: String::new(),
            errors: Vec::new(),
            before_v2: None,
            retry_after: matches!(status.as_u16(), 429 | 503 | 507).then_some(1),
            limited: None,
        }
    }

    /// When it may go better, in seconds.
    #[must_use]
    pub(crate) fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Which limit was met.
    #[must_use]
    pub(crate) fn of_limit(mut self, limited: Limited) -> Self {
        self.limited = Some(limited);
        self
    }

    /// Says which request it is about.
    #[must_use]
    pub(crate) fn of_request(mut self, instance: &str, request_id: &str) -> Self {
        instance.clone_into(&mut self.instance);
        request_id.clone_into(&mut self.request_id);
        self
    }

    /// With what integrations of the first version look for.
    #[must_use]
    pub(crate) fn before_v2(mut self, now: Timestamp) -> Self {
        let message = self.detail.clone();
        self.before_v2 = Some(FailureBeforeV2 { success: false, message, data: None, timestamp: now.to_string() });
        self
    }

    /// See [`Error::is_race`].
    pub(crate) fn is_race(&self) -> bool {
        self.code == RACE
    }

    /// What happened, for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The answer, with the problem as its body.
    #[must_use]
    pub(crate) fn render(&self) -> Response {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(limited) = &self.limited {
            limited.tell(&mut response);
        }
        let headers = response.headers_mut();
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"prompt-store\""));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code();
        let of_kind = match &error {
            Error::NotFound { .. } => 404,
            Error::Invalid { .. } => 422,
            Error::Conflict { .. } => 409,
            Error::Unavailable { .. } => 503,
            Error::Internal(_) => 500,
        };
        let special = STATUS_OF.iter().find(|(known, _)| *known == code);
        let status = StatusCode::from_u16(special.map_or(of_kind, |(_, status)| *status));
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = match &error {
            Error::Internal(_) => "something went wrong here, and not with your request; the log has it under the \
                                   request id"
                .to_owned(),
            told => told.to_string(),
        };
        match &error {
            Error::Internal(_) => tracing::error!(error = error.for_log(), "a request failed"),
            // There are many of them at once, and they are counted.
            error if error.is_race() || code == "overloaded" => {
                tracing::debug!(error = error.for_log(), "a request is to come back");
            }
            Error::Unavailable { .. } => tracing::warn!(error = error.for_log(), "a request is to come back"),
            _ => {}
        }
        let mut problem = Self::new(status, code, detail);
        if let Error::Invalid { violations, .. } = error {
            problem.errors = violations.into_iter().map(FieldProblem::from).collect();
        }
        problem
    }
}

impl From<Violation> for FieldProblem {
    fn from(Violation { pointer, code, detail }: Violation) -> Self {
        Self { pointer, code, detail }
    }
}

/// The outermost middleware, which knows the request, renders it; until then it travels beside the response.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.render();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_status_and_some_codes_their_own() {
        let status = |error: Error| Problem::from(error).status;
        assert_eq!(status(Error::not_found("prompt", "x")), 404);
        assert_eq!(status(Error::invalid("/name", "required", "x")), 422);
        assert_eq!(status(Error::conflict("prompt-name-taken", "x")), 409);
        assert_eq!(status(Error::conflict("version-mismatch", "x")), 412);
        assert_eq!(status(Error::internal("secret")), 500);
    }

    #[test]
    fn an_internal_error_tells_the_client_nothing() {
        let problem = Problem::from(Error::internal("SELECT secret FROM /etc/path"));
        assert!(!serde_json::to_string(&problem).unwrap().contains("secret"));
    }

    #[test]
    fn the_code_is_the_last_segment_of_the_type() {
        let problem = Problem::from(Error::conflict("prompt-name-taken", "x"));
        assert_eq!(problem.kind.rsplit('/').next(), Some(problem.code));
        assert_eq!(problem.title, "Prompt name taken");
    }
}
