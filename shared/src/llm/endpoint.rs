//! What the answers of a service mean.
use std::time::Duration;

use reqwest::StatusCode;
use serde::{Serialize, de::DeserializeOwned};

use super::{Fault, FaultCode};
use crate::{
    clock::Timestamp,
    http::{Answer, Failure, Service},
};

/// Whoever asks to be left alone for longer is asked again after this.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(10);

/// Asks once, and reads what is answered.
pub(super) async fn post<T>(service: &Service, path: &str, body: &impl Serialize, now: Timestamp) -> Result<T, Fault>
where
    T: DeserializeOwned,
{
    let body = serde_json::to_vec(body).map_err(|_| FaultCode::ServiceRejected)?;
    let answer = service.post(path, body).await.map_err(|failure| match failure {
        Failure::Blocked => FaultCode::ServiceBlocked,
        Failure::Timeout => FaultCode::ServiceTimeout,
        Failure::ConnectionFailed => FaultCode::ServiceUnreachable,
    })?;
    read(&answer, now)
}

fn read<T: DeserializeOwned>(answer: &Answer, now: Timestamp) -> Result<T, Fault> {
    let code = match answer.status {
        status if status.is_success() => {
            if answer.truncated {
                return Err(FaultCode::AnswerTooLarge.into());
            }
            return serde_json::from_slice(&answer.body).map_err(|_| FaultCode::AnswerUnreadable.into());
        }
        StatusCode::TOO_MANY_REQUESTS => FaultCode::ServiceBusy,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FaultCode::ServiceDenied,
        StatusCode::REQUEST_TIMEOUT => FaultCode::ServiceTimeout,
        status if status.is_server_error() => FaultCode::ServiceError,
        _ => FaultCode::ServiceRejected,
    };
    let retry_after = answer.retry_after(now).map(|wait| wait.min(RETRY_AFTER_MAX));
    Err(Fault { code, retry_after })
}
