//! What happens to every request before and after its handler.
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use shared::{
    caller::Idempotency,
    line, retry,
    telemetry::{HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_RESPONSES, HTTP_SECONDS},
};
use tracing::Instrument;

use crate::{
    Door,
    access::{self, Scopes, Who},
    bodies, extract,
    lines::is_stream,
    problem::Problem,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const NAME_CHARS_MAX: usize = 128;
const KEY_CHARS_MAX: usize = 255;
const URI_BYTES_MAX: usize = 8 * 1024;
/// Where no route was found.
const UNMATCHED: &str = "unmatched";
/// A request that finds every place taken waits this long for one.
const PLACE_WAIT: Duration = Duration::from_millis(500);

/// The name of a request, in every log line and answer.
#[derive(Clone)]
struct RequestId(String);

/// The route that a request goes to, as the contract writes it: what decides about a request goes by the route, and never by how its
/// address was written.
fn route(extensions: &Extensions) -> &str {
    extensions.get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str)
}

/// Names the request, times it, counts it, and renders what it was refused with.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = route(request.extensions()).to_owned();
    let is_page = access::is_page(&route);
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", request_id = id, %method, path, status = tracing::field::Empty);
    let started = Instant::now();
    let in_flight = InFlight::begin();

    let mut response = next.run(request).instrument(span.clone()).await;

    let problem = response.extensions_mut().remove::<Problem>();
    // The page that shows the contract answers what it does not have with a bare status.
    let bare = || (response.status() == StatusCode::NOT_FOUND).then(no_such_route);
    if let Some(problem) = problem.or_else(bare) {
        let rendered = problem.of_request(&path, &id).render();
        // What others have said about the answer stays: which methods are allowed, that the connection ends.
        let (mut parts, body) = rendered.into_parts();
        for (name, value) in response.headers() {
            if name != header::CONTENT_LENGTH && !parts.headers.contains_key(name) {
                parts.headers.insert(name, value.clone());
            }
        }
        response = Response::from_parts(parts, body);
    }
    let (status, elapsed) = (response.status(), started.elapsed());
    drop(in_flight);
    count(&method, route, status, elapsed);
    span.record("status", status.as_u16());
    span.in_scope(|| tracing::debug!(?elapsed, "answered"));

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id.clone());
        headers.insert(CORRELATION_ID, id);
    }
    // What may be kept says so itself; a new key or secret must not.
    if !is_page && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !is_page {
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    }
    response
}

/// A request that is being answered; it ends with the value, also where the client has gone.
struct InFlight;

impl InFlight {
    fn begin() -> Self {
        metrics::gauge!(HTTP_IN_FLIGHT).increment(1.0);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!(HTTP_IN_FLIGHT).decrement(1.0);
    }
}

/// Anybody can ask by a method of their own, and none of those gets a number of its own.
fn count(method: &Method, route: String, status: StatusCode, elapsed: Duration) {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];
    let method = if known.contains(method) { method.to_string() } else { "other".to_owned() };
    let labels = [("method", method), ("route", route)];
    metrics::histogram!(HTTP_SECONDS, &labels).record(elapsed);
    let [method, route] = labels;
    let labels = [method, route, ("status", status.as_str().to_owned())];
    metrics::counter!(HTTP_REQUESTS, &labels).increment(1);
    metrics::counter!(HTTP_RESPONSES, "class" => class(status)).increment(1);
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        500.. => "5xx",
        400.. => "4xx",
        300.. => "3xx",
        200.. => "2xx",
        _ => "1xx",
    }
}

/// What alerts ask of the answers, from the start: a series that begins with its first event has not risen, as Prometheus
/// sees it. There are too many routes to count each status of each from 0.
pub(crate) fn count_from_zero() {
    for class in ["1xx", "2xx", "3xx", "4xx", "5xx"] {
        metrics::counter!(HTTP_RESPONSES, "class" => class).increment(0);
    }
}

/// The client's name for the request, if it is sane; else one of ours.
fn request_id(headers: &HeaderMap) -> String {
    let sane = |name| {
        let text = headers.get(name)?.to_str().ok()?;
        let good = !text.is_empty() && text.len() <= NAME_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| text.to_owned())
    };
    sane(CORRELATION_ID).or_else(|| sane(REQUEST_ID)).unwrap_or_else(shared::id::request_id)
}

/// A handler that panicked: our bug, and one request's only.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let error = shared::Error::internal(format!("a handler panicked: {}", said.unwrap_or("?")));
    Problem::from(error).into_response()
}

/// Turns away what must not reach a handler: too large, encoded, from an unknown host, without its key.
pub(crate) async fn admit(
    State((door, scopes)): State<(Door, &'static Scopes)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match check(&door, scopes, &mut parts).await {
        Ok(who) => {
            parts.extensions.insert(who);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => {
            let mut response = problem.into_response();
            // The body was not read, so nothing sensible can follow on this connection.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }
}

async fn check(door: &Door, scopes: &Scopes, request: &mut Parts) -> Result<Who, Problem> {
    if request.uri.path_and_query().is_some_and(|uri| uri.as_str().len() > URI_BYTES_MAX) {
        let detail = "the address has more than 8 KiB; send what is long in a body";
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "uri-too-long", detail));
    }
    check_host(request)?;
    let who = access::enter(door, scopes, request).await?;
    let (route, headers) = (route(&request.extensions), &request.headers);
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let most = bodies::most(route);
    if !is_stream(route) && length.is_some_and(|length| length > most as u64) {
        return Err(bodies::too_large(most));
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let detail = "the body must not be compressed";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail));
    }
    Ok(who)
}

/// RFC 9112, 3.2: a request has one `Host`, and of those of HTTP/1.0 some have none. So has what did not come over a socket.
fn check_host(request: &Parts) -> Result<(), Problem> {
    let hosts = request.headers.get_all(header::HOST).iter().count();
    let came_over_a_socket = request.extensions.get::<ConnectInfo<SocketAddr>>().is_some();
    let may_have_none = request.version < Version::HTTP_11 || !came_over_a_socket;
    if hosts == 1 || (hosts == 0 && may_have_none) {
        return Ok(());
    }
    let detail = format!("a request has one `Host` header, and this one has {hosts}");
    Err(Problem::new(StatusCode::BAD_REQUEST, "bad-host", detail))
}

fn is_write(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

/// Takes in the body of a write, unless it is read as it arrives.
pub(crate) async fn receive(State(door): State<Door>, request: Request, next: Next) -> Response {
    if !is_write(request.method()) || is_stream(route(request.extensions())) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match door.room.take(body, bodies::most(route(&parts.extensions)), door.edge.body_timeout).await {
        // The room is taken until the answer is there.
        Ok((bytes, _taken)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(problem) => problem.into_response(),
    }
}

/// So many at once, each for so long.
pub(crate) async fn limit(State(door): State<Door>, request: Request, next: Next) -> Response {
    // A stream takes as long as it takes; its pauses are bounded, and its places are its own.
    let its = route(request.extensions());
    if its == "/health" || its.starts_with("/health/") || is_stream(its) {
        return next.run(request).await;
    }
    let Ok(Ok(_place)) = tokio::time::timeout(PLACE_WAIT, door.places.acquire()).await else {
        let detail = "too many requests are being worked; try again in a moment";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).into_response();
    };
    let answered = tokio::time::timeout(door.edge.handler_timeout, line::for_client(next.run(request))).await;
    answered.unwrap_or_else(|_| {
        let detail = "the answer took too long; it is not known whether the request had its effect, so read before you \
                      repeat it, or repeat it with the same Idempotency-Key";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).into_response()
    })
}

/// Says who asks, and whether the request was asked before. A write that lost a race has had no effect and is run
/// again, before its client hears of it.
pub(crate) async fn identify(mut request: Request, next: Next) -> Response {
    let Some(who) = request.extensions_mut().remove::<Who>() else {
        return Problem::from(shared::Error::internal("nobody knows who asks")).into_response();
    };
    let id = request.extensions().get::<RequestId>().map_or(String::new(), |id| id.0.clone());
    if !is_write(request.method()) {
        request.extensions_mut().insert(extract::Caller(shared::Caller::with(who.grant, who.actor, &id, None)));
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let key = match idempotency_key(&parts.headers) {
        Ok(key) => key.map(str::to_owned),
        Err(problem) => return problem.into_response(),
    };
    if is_stream(route(&parts.extensions)) {
        return identify_stream(parts, body, key, &id, who, next).await;
    }
    let body = match bodies::whole(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let idempotency = key.map(|key| Idempotency { key: key.into(), fingerprint: fingerprint(&parts, &body).into() });
    let caller = shared::Caller::with(who.grant, who.actor, &id, idempotency);
    let mut run = 1;
    let mut response = loop {
        parts.extensions.insert(extract::Caller(caller.of_next_run()));
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let response = next.clone().run(request).await;
        if run == retry::RACES || !response.extensions().get().is_some_and(Problem::is_race) {
            break response;
        }
        tokio::time::sleep(retry::after_race(run)).await;
        run += 1;
    };
    mark_replayed(&caller, &mut response);
    response
}

/// A body that is read as it arrives cannot be run again, and what it says is known only when it has ended: the handler
/// adds that to the fingerprint.
async fn identify_stream(
    mut parts: Parts,
    body: Body,
    key: Option<String>,
    id: &str,
    who: Who,
    next: Next,
) -> Response {
    let fingerprint = fingerprint(&parts, &[]);
    let idempotency = key.map(|key| Idempotency { key: key.into(), fingerprint: fingerprint.into() });
    let caller = shared::Caller::with(who.grant, who.actor, id, idempotency);
    parts.extensions.insert(extract::Caller(caller.clone()));
    let mut response = next.run(Request::from_parts(parts, body)).await;
    mark_replayed(&caller, &mut response);
    response
}

fn mark_replayed(caller: &shared::Caller, response: &mut Response) {
    if caller.was_replayed() {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| {
        (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    });
    key.map(Some).ok_or_else(|| {
        let detail = format!("`Idempotency-Key` must be 1 to {KEY_CHARS_MAX} visible ASCII characters");
        Problem::new(StatusCode::BAD_REQUEST, "bad-idempotency-key", detail)
    })
}

/// What makes another request the same.
fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut hash = Sha256::new();
    for part in [parts.method.as_str().as_bytes(), target.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A route that is not there.
pub(crate) async fn not_found() -> Problem {
    no_such_route()
}

fn no_such_route() -> Problem {
    let detail = "there is no such route; /docs lists them all";
    Problem::new(StatusCode::NOT_FOUND, "no-such-route", detail)
}

/// A route that is there, for other methods.
pub(crate) async fn method_not_allowed() -> Problem {
    let detail = "this route does not take that method; the header `Allow` lists the ones it takes";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}
