//! What Prometheus is told of calls of models. Every series is there from the start: one that begins with its first event has
//! not risen, as Prometheus sees it.
use crate::{
    app::App,
    llm::{Fault, FaultCode, LlmService, Said},
    telemetry::{LLM_CALLS, LLM_DOLLARS},
};

const ANSWERED: &str = "answered";

/// Every counter of the services that are configured, at 0.
pub fn count_from_zero(app: &App) {
    for service in app.llm.names() {
        metrics::counter!(LLM_DOLLARS, "service" => service.to_string()).increment(0);
        let faults = FaultCode::ALL.iter().map(ToString::to_string);
        for outcome in faults.chain([ANSWERED.to_owned()]) {
            metrics::counter!(LLM_CALLS, "service" => service.to_string(), "outcome" => outcome).increment(0);
        }
    }
}

/// One call more.
pub(super) fn call(service: LlmService, outcome: &Result<Said, Fault>) {
    debug_assert!(
        outcome.as_ref().err().is_none_or(|fault| FaultCode::ALL.contains(&fault.code)),
        "not counted from 0"
    );
    let how = outcome.as_ref().map_or_else(|fault| fault.code.to_string(), |_| ANSWERED.to_owned());
    metrics::counter!(LLM_CALLS, "service" => service.to_string(), "outcome" => how).increment(1);
}
