//! A whole collection of the first version, taken in at once.
use std::{collections::BTreeMap, fmt};

use axum::{extract::State, http::StatusCode};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Value, json};
use shared::{
    App, Error, misfit,
    prompts::{self, NewPrompt, Precondition, Selector, Show},
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
#[utoipa::path(
    post, path = "/migrate", tag = "before-v2", operation_id = "migrateBeforeV2",
    security((), ("key" = ["bulk"])),
    params(MigrateQuery),
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
    let mut outcomes = Vec::with_capacity(count);
    for (category, prompts) in collection {
        for (name, content) in prompts {
            let (content, variables, description) = match content {
                OldContent::Text(content) => (content, None, None),
                OldContent::Whole(OldWhole { content, variables, description }) => (content, variables, description),
            };
            let old = OldPrompt { category: category.clone(), name, content, description, variables, tags: None };
            outcomes.push(migrate_one(&app, &caller, old, query.dry_run).await?);
        }
    }
    let of = |wanted: &str| outcomes.iter().filter(|it| it["outcome"] == wanted).count();
    let data = json!({
        "dry_run": query.dry_run,
        "created": of("created"),
        "updated": of("updated"),
        "unchanged": of("unchanged"),
        "failed": of("failed"),
        "prompts": outcomes,
    });
    answer(&app, StatusCode::OK, "Migrated", data)
}

/// What became of one prompt, or would. Only what is nobody's fault ends the whole.
async fn migrate_one(app: &App, caller: &Caller, old: OldPrompt, dry_run: bool) -> Result<Value, Error> {
    let (category, name) = (old.category.clone(), old.name.clone());
    let outcome = |outcome: &str, error: Option<&Error>| json!({ "category": category, "name": name, "outcome": outcome, "error": error.map(ToString::to_string) });
    let there = prompts::find_by_name(app, &category, &name, &Selector::Latest, Show::PROMPT).await;
    let done = match there {
        Ok(prompt) if prompt.body.content.as_ref() == Some(&old.content) => return Ok(outcome("unchanged", None)),
        Ok(_) if dry_run => return Ok(outcome("updated", None)),
        Ok(prompt) => {
            let OldPrompt { content, description, variables, .. } = old;
            let patch = OldPatch { content: Some(content), description, variables, ..OldPatch::default() };
            prompts::update(app, &caller.0, prompt.id, &Precondition::None, patch.into()).await.map(|_| "updated")
        }
        Err(Error::NotFound { .. }) if dry_run => NewPrompt::from(old).check().map(|_| "created"),
        Err(Error::NotFound { .. }) => prompts::create(app, &caller.0, old.into()).await.map(|_| "created"),
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => Ok(outcome(done, None)),
        Err(error) if error.is_refusal() => Ok(outcome("failed", Some(&error))),
        Err(error) => Err(error),
    }
}
