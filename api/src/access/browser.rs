//! Where no key is asked for, a browser on this machine must not ask in the name of a page from elsewhere.
use std::net::IpAddr;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts};

use crate::{config::Edge, extract, problem::Problem};

const FETCH_SITE: &str = "sec-fetch-site";
const FETCH_MODE: &str = "sec-fetch-mode";

/// Without a key only this machine may ask. A page whose host name was pointed here still says its own name; one that
/// sends a form, or anything else that no browser asks about first, says where it is from.
pub(super) fn check(edge: &Edge, request: &Parts) -> Result<(), Problem> {
    let headers = &request.headers;
    if !headers.get(header::HOST).is_none_or(|host| is_known(edge, host.to_str().unwrap_or("?"))) {
        let detail = "without an admin key this store answers to `localhost` only; set PROMPT_STORE_ALLOWED_HOSTS, or an \
                      admin key";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    if !is_from_elsewhere(edge, headers) {
        return Ok(());
    }
    if request.method == Method::POST && !extract::is_json(headers) {
        return Err(extract::no_json());
    }
    let detail = "a page of another site may not ask without a key; set PROMPT_STORE_ALLOWED_HOSTS if it is yours, or an \
                  admin key";
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
}

/// Links may be followed from anywhere: what they lead to is shown to a person, and to no page.
fn is_from_elsewhere(edge: &Edge, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text(header::ORIGIN.as_str()) {
        Some(origin) => {
            let origin: Option<Uri> = origin.parse().ok();
            !origin.as_ref().and_then(Uri::authority).is_some_and(|authority| is_known(edge, authority.as_str()))
        }
        None => text(FETCH_SITE) == Some("cross-site") && text(FETCH_MODE) != Some("navigate"),
    }
}

/// Is it this machine, or a name that it was given?
fn is_known(edge: &Edge, host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let local =
        name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    local || edge.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}
