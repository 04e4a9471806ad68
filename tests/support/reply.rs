//! What the store answered, and what a test may expect of it.
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, if it is JSON.
    pub body: Value,
    /// Its body, as it came.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The body of an answer that must have this status. A refusal must be a whole problem.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        if status >= 400 {
            assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
            let problem = &self.body;
            for key in ["type", "title", "detail", "instance", "code", "request_id"] {
                assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "no `{key}` in {problem}");
            }
            assert_eq!(problem["status"], status);
            assert_eq!(problem["request_id"], self.headers["x-request-id"].to_str().unwrap());
        }
        self.body
    }

    /// A refusal that must have this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        problem
    }

    /// The code of a refusal that must have this status.
    #[track_caller]
    pub fn code(self, status: u16) -> String {
        self.expect(status)["code"].as_str().unwrap().to_owned()
    }

    /// Where and why a 422 was refused: `[("/name", "too-long")]`.
    #[track_caller]
    pub fn violations(self) -> Vec<(String, String)> {
        let problem = self.expect(422);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }

    /// A header, as text.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header `{name}`")).to_str().unwrap()
    }
}
