//! A whole collection of the first version, taken in at once.
use std::{collections::BTreeMap, fmt};

use axum::{extract::State, http::StatusCode};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::json;
use shared::{
    App, Error, misfit,
    prompts::{self, Put, PutOutcome, Wanted},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Envelope, OldPatch, OldPrompt, answer};
use crate::{
    Door,
    extract::{Caller, Query, Raw},
    problem::Problem,
    yaml,
};

/// The most prompts of one collection.
const PROMPTS_MAX: usize = 1000;

pub(super) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(migrate))
}

/// What a collection of the first version says of a prompt.
enum OldContent {
    Text(String),
    Whole(OldWhole),
}

/// A prompt of a collection with more than its text.
#[derive(Deserialize)]
struct OldWhole {
    content: String,
    #[serde(default)]
    variables: Option<Vec<String>>,
    #[serde(default)]
    description: Option<String>,
}

/// Not derived: of what does not fit, that would only say that it is neither.
impl<'de> Deserialize<'de> for OldContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OldContent;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with `content`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OldContent, E> {
                Ok(OldContent::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<OldContent, A::Error> {
                OldWhole::deserialize(MapAccessDeserializer::new(fields)).map(OldContent::Whole)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// How a collection is taken in.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct MigrateQuery {
    /// Only say what would be done.
    dry_run: bool,
}

/// Before v2: take in a collection, category → name → text or `{content, variables, description}` in YAML. A prompt that
/// is there already gets the content as a new version.
///
/// Each prompt is refused by itself, and all others are written in one transaction: with an `Idempotency-Key` the request,
/// sent again, has one effect, and gets the whole answer again.
#[utoipa::path(
    post, path = "/migrate", tag = "before-v2", operation_id = "migrateBeforeV2",
    security((), ("key" = ["bulk"])),
    params(MigrateQuery, ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, a request has one effect.")),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = Envelope), (status = "default", body = Problem, content_type = "application/problem+json")),
)]
async fn migrate(State(app): State<App>, Query(query): Query<MigrateQuery>, caller: Caller, Raw(yaml): Raw) -> Answer {
    let unreadable = |detail: String| Error::invalid("", "yaml-syntax", detail);
    let text = std::str::from_utf8(&yaml).map_err(|error| unreadable(format!("the body is not UTF-8: {error}")))?;
    let mut collection: BTreeMap<String, BTreeMap<String, OldContent>> = BTreeMap::new();
    let unfit = |why: String| unreadable(format!("the body must be category → name → text in YAML: {why}"));
    for document in yaml::documents(text).map_err(unfit)? {
        let document: BTreeMap<String, BTreeMap<String, OldContent>> = misfit::read_any(document, "the body")?;
        for (category, prompts) in document {
            collection.entry(category).or_default().extend(prompts);
        }
    }
    let count = collection.values().map(BTreeMap::len).sum::<usize>();
    if !(1..=PROMPTS_MAX).contains(&count) {
        return Err(Error::invalid(
            "",
            "out-of-range",
            format!("give 1 to {PROMPTS_MAX} prompts; more go to /api/v1/bulk/import"),
        )
        .into());
    }
    let (names, wanted) = wanted(collection);
    let outcomes = prompts::put_many(&app, &caller.0, wanted, query.dry_run).await?;
    let of = |wanted: Put| outcomes.iter().filter(|it| it.outcome == wanted).count();
    let told = |((category, name), it): (&(String, String), &PutOutcome)| json!({ "category": category, "name": name, "outcome": it.outcome, "error": it.error });
    let data = json!({
        "dry_run": query.dry_run,
        "created": of(Put::Created),
        "updated": of(Put::Updated),
        "unchanged": of(Put::Unchanged),
        "failed": of(Put::Failed),
        "prompts": names.iter().zip(&outcomes).map(told).collect::<Vec<_>>(),
    });
    answer(&app, StatusCode::OK, "Migrated", data)
}

/// The prompts of a collection: what they are called there, and what is to be there.
fn wanted(collection: BTreeMap<String, BTreeMap<String, OldContent>>) -> (Vec<(String, String)>, Vec<Wanted>) {
    let prompts = collection.into_iter().flat_map(|(category, prompts)| {
        prompts.into_iter().map(move |(name, content)| ((category.clone(), name), content))
    });
    let wanted = prompts.map(|((category, name), content)| {
        let (content, variables, description) = match content {
            OldContent::Text(content) => (content, None, None),
            OldContent::Whole(OldWhole { content, variables, description }) => (content, variables, description),
        };
        let patch = OldPatch {
            content: Some(content.clone()),
            description: description.clone(),
            variables: variables.clone(),
            ..OldPatch::default()
        };
        let (its_category, its_name) = (category.clone(), name.clone());
        let old = OldPrompt { category: its_category, name: its_name, content, description, variables, tags: None };
        ((category, name), Wanted { new: old.into(), patch: patch.of(None) })
    });
    wanted.unzip()
}
