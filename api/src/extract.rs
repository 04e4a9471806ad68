//! Extractors that refuse bad input with a problem, not with plain text.
use std::{borrow::Cow, fmt, marker::PhantomData};

use axum::{
    body::Bytes,
    extract::{
        FromRef, FromRequest, FromRequestParts, MatchedPath, OriginalUri, Request, path::ErrorKind,
        rejection::PathRejection,
    },
    http::{Extensions, HeaderMap, HeaderName, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned},
};
use shared::{Error, id::PromptId, page::PageRequest, prompts::Precondition};

use crate::{Door, bodies, json, problem::Problem, query};

/// A JSON body; or a JSON answer.
pub(crate) struct Json<T>(pub(crate) T);

/// A body of any kind.
pub(crate) struct Raw(pub(crate) Bytes);

impl FromRequest<Door> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Door) -> Result<Self, Problem> {
        Ok(Self(bodies::whole(request.into_body()).await?))
    }
}

/// A JSON body whose every field is optional, so that no body is an empty object.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Door> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Door) -> Result<Self, Problem> {
        Ok(Self(json::read(&body_of(request).await?)?))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Door> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Door) -> Result<Self, Problem> {
        let bytes = body_of(request).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) { Ok(Self(T::default())) } else { Ok(Self(json::read(&bytes)?)) }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

async fn body_of(request: Request) -> Result<Bytes, Problem> {
    check_content_type(request.headers())?;
    bodies::whole(request.into_body()).await
}

/// The path as the client sent it. Nested routes see only the rest of it in their `Uri`.
fn whole_path<'r>(extensions: &'r Extensions, uri: &'r Uri) -> &'r str {
    extensions.get::<OriginalUri>().map_or(uri, |OriginalUri(whole)| whole).path()
}

/// JSON says that it is JSON. Plain `curl -d` does not; it is let in where no browser can be behind it.
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    if is_json(headers) || may_be_anything(headers) { Ok(()) } else { Err(no_json()) }
}

/// What a request says that its body is, without its parameters.
pub(crate) fn essence(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or("?");
    Some(kind.split(';').next().unwrap_or(kind).trim().to_ascii_lowercase())
}

/// Does the body say that it is JSON? A browser asks before it sends such a body elsewhere.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let is_json =
        |kind: &str| kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    essence(headers).is_some_and(|kind| is_json(&kind))
}

/// Does it say nothing of its body, or what `curl -d` says of any? Browsers say so too, but never without their origin.
pub(crate) fn may_be_anything(headers: &HeaderMap) -> bool {
    let unsaid = essence(headers).is_none_or(|kind| kind == "application/x-www-form-urlencoded");
    unsaid && !headers.contains_key(header::ORIGIN)
}

pub(crate) fn no_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "the body must be JSON; say `Content-Type: application/json`",
    )
}

/// Parameters in the path. One that cannot be what it should be is not there.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = whole_path(&parts.extensions, &parts.uri).to_owned();
        let route = parts.extensions.get::<MatchedPath>().cloned();
        let route = route.as_ref().map_or("", MatchedPath::as_str);
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(params)) => Ok(Self(params)),
            Err(PathRejection::FailedToDeserializePathParams(rejection)) => Err(match rejection.into_kind() {
                ErrorKind::InvalidUtf8InPathParam { key } => {
                    Problem::new(StatusCode::BAD_REQUEST, "bad-path", format!("`{key}` in the path is not UTF-8"))
                }
                ErrorKind::DeserializeError { value, key, .. } | ErrorKind::ParseErrorAtKey { value, key, .. } => {
                    Error::not_found(entity(route, &key), value).into()
                }
                ErrorKind::ParseErrorAtIndex { value, .. } | ErrorKind::ParseError { value, .. } => {
                    Error::not_found(entity(route, "id"), value).into()
                }
                _ => Error::not_found("resource", path).into(),
            }),
            Err(rejection) => Err(Error::internal(rejection).into()),
        }
    }
}

/// What a path parameter names, so that a malformed id reads like an unknown one.
fn entity(route: &str, key: &str) -> &'static str {
    match key {
        "v" | "version" => "version",
        "delivery_id" => "delivery",
        _ if route.starts_with("/api/v1/bulk/") => "bulk operation",
        _ if route.starts_with("/api/v1/webhooks/") => "webhook",
        _ if route.starts_with("/api/v1/jobs/") => "job",
        _ if route.starts_with("/api/v1/keys/") => "key",
        _ => "prompt",
    }
}

/// Parameters in the query: known ones only, `name=a&name=b` for lists.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(query::read(parts.uri.query().unwrap_or_default())?))
    }
}

/// Parameters in the query that the route gives no names to: in their order, each once.
pub(crate) struct AnyQuery(pub(crate) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for AnyQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(query::each_once(parts.uri.query().unwrap_or_default())?))
    }
}

/// `limit`, `offset` and `cursor`, for routes that take nothing else.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The most rows of the page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    pub(crate) limit: Option<i64>,
    /// How many rows to pass over.
    #[param(minimum = 0)]
    pub(crate) offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    pub(crate) fn request(self) -> Result<PageRequest, Problem> {
        Ok(PageRequest::new(self.limit, self.offset, self.cursor)?)
    }
}

/// Who asks. Made by the middleware, so that it can see afterwards whether an answer was replayed.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) shared::Caller);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Error::internal("a request without a caller").into())
    }
}

/// An object, or a list of such.
pub(crate) struct OneOrMany<T> {
    /// All of them.
    pub(crate) items: Vec<T>,
    /// Was it an object, so that it has no index?
    pub(crate) is_one: bool,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of objects")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
                let item = T::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(OneOrMany { items: vec![item], is_one: true })
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<OneOrMany<T>, A::Error> {
                let items = Vec::deserialize(de::value::SeqAccessDeserializer::new(list))?;
                Ok(OneOrMany { items, is_one: false })
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// The `If-Match` of a request, or its `If-None-Match`.
pub(crate) struct IfMatch(pub(crate) Precondition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch
where
    Door: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let tags = |name| tags(&parts.headers, &name).ok_or_else(|| bad_tags(&name));
        match (tags(header::IF_MATCH)?, tags(header::IF_NONE_MATCH)?) {
            (Tags::None, Tags::None) if Door::from_ref(state).edge.require_if_match => {
                let detail =
                    "this store takes a change only with `If-Match: \"<revision>\"`, the ETag of what was read";
                Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if-match-required", detail))
            }
            (Tags::None, Tags::None) => Ok(Self(Precondition::None)),
            (Tags::Any, Tags::None) => Ok(Self(Precondition::Exists)),
            // One that is not ours is well formed, and never matches.
            (Tags::These(tags), Tags::None) => {
                Ok(Self(Precondition::Seen(tags.iter().filter_map(|it| seen(it)).collect())))
            }
            (Tags::None, Tags::Any) => Ok(Self(Precondition::Absent)),
            (Tags::None, Tags::These(tags)) => {
                Ok(Self(Precondition::Unseen(tags.iter().filter_map(|it| seen(it)).collect())))
            }
            _ => {
                let detail = "give `If-Match` or `If-None-Match`, not both";
                Err(Problem::new(StatusCode::BAD_REQUEST, "bad-if-match", detail))
            }
        }
    }
}

/// What a conditional header names.
enum Tags {
    /// There is none.
    None,
    /// `*`
    Any,
    /// Entity tags, each in its quotes.
    These(Vec<String>),
}

/// Nothing, where it is malformed.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let mut tags = Vec::new();
    for header in headers.get_all(name) {
        tags.extend(header.to_str().ok()?.split(',').map(|tag| tag.trim().to_owned()));
    }
    let is_quoted = |tag: &String| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        strong.strip_prefix('"').is_some_and(|rest| rest.ends_with('"'))
    };
    match tags.as_slice() {
        [] => Some(Tags::None),
        [any] if any == "*" => Some(Tags::Any),
        all => all.iter().all(is_quoted).then_some(Tags::These(tags)),
    }
}

fn bad_tags(name: &HeaderName) -> Problem {
    let header = if *name == header::IF_MATCH { "If-Match" } else { "If-None-Match" };
    let detail = format!("`{header}` must be `*` or entity tags in double quotes, like `\"7\"`");
    Problem::new(StatusCode::BAD_REQUEST, "bad-if-match", detail)
}

/// A tag as this store gave it. A proxy that compresses makes it weak, as nginx and `HAProxy` do, or puts the coding at its
/// end, as Apache and Caddy do. RFC 9110 would have `If-Match` fail then, as the bytes are others; but the tag stands for
/// a revision, which is the same however it was sent.
fn as_given(tag: &str) -> Cow<'_, str> {
    const CODINGS: [&str; 4] = ["-gzip\"", "-br\"", "-zstd\"", "-deflate\""];
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    match CODINGS.iter().find_map(|coding| tag.strip_suffix(coding)) {
        Some(text) => Cow::Owned(format!("{text}\"")),
        None => Cow::Borrowed(tag),
    }
}

/// What the client has seen, if the tag is one that this store gives: `"7"`, or `"prm_…-7"` of a read by name, with the
/// id of a successor behind it where one was told of.
fn seen(tag: &str) -> Option<(Option<PromptId>, i64)> {
    let tag = as_given(tag);
    let parts: Vec<&str> = tag.trim_matches('"').split('-').collect();
    let (seen, given) = match parts[..] {
        [revision] => {
            let revision = revision.parse().ok()?;
            ((None, revision), etag(revision))
        }
        [id, revision, ref successor @ ..] => {
            let (id, revision) = (id.parse().ok()?, revision.parse().ok()?);
            let successor = successor.first().map(|successor| successor.parse()).transpose().ok()?;
            ((Some(id), revision), named_etag(id, revision, successor))
        }
        [] => return None,
    };
    // Only in the spelling it was given: `"07"` is another tag.
    (tag == given).then_some(seen)
}

/// The entity tag of a prompt read by its id.
pub(crate) fn etag(revision: i64) -> String {
    format!("\"{revision}\"")
}

/// The entity tag of a prompt read by its name, which may be another prompt's tomorrow. The answer tells of what to use in
/// the place of a deprecated one, which can change without a write to it.
pub(crate) fn named_etag(id: PromptId, revision: i64, successor: Option<PromptId>) -> String {
    let successor = successor.map_or(String::new(), |successor| format!("-{successor}"));
    format!("\"{id}-{revision}{successor}\"")
}

/// An answer with its entity tag; or 304, if the client has it already.
pub(crate) fn tagged(request: &HeaderMap, etag: &str, answer: impl FnOnce() -> Response) -> Response {
    let tags = [(header::ETAG, etag.to_owned()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|header| header.to_str().ok());
    let mut known = known.flat_map(|header| header.split(',')).map(|tag| as_given(tag.trim()));
    if known.any(|tag| tag == "*" || tag == etag) {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    (tags, answer()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_the_same_however_a_proxy_has_changed_it() {
        const P: &str = "prm_01JCXM0000000000000000000A";
        const Q: &str = "prm_01JCXM0000000000000000000B";
        let id: PromptId = P.parse().unwrap();
        for (tag, revision) in [("7", 7), ("0", 0), ("-7", -7)] {
            let expected = (revision >= 0).then_some((None, revision));
            for tag in
                [format!("\"{tag}\""), format!("W/\"{tag}\""), format!("\"{tag}-gzip\""), format!("W/\"{tag}-br\"")]
            {
                assert_eq!(seen(&tag), expected, "{tag}");
            }
        }
        for tag in
            [format!("\"{P}-7\""), format!("W/\"{P}-7\""), format!("\"{P}-7-{Q}\""), format!("\"{P}-7-{Q}-gzip\"")]
        {
            assert_eq!(seen(&tag), Some((Some(id), 7)), "{tag}");
        }
        for tag in ["\"07\"", "\"+7\"", "\"\"", "\"-\"", "\"7-\"", "\"7-x\"", "w/\"7\"", "W/W/\"7\""] {
            assert_eq!(seen(tag), None, "{tag}");
        }
        for tag in [format!("\"{P}-7-x\""), format!("\"{P}-7-{Q}-{Q}\""), format!("\"{Q}\"")] {
            assert_eq!(seen(&tag), None, "{tag}");
        }
    }
}
