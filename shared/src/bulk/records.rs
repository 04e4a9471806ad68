//! The lines that a store is written to and read from, without a loss.
//!
//! A `prompt` is one line with everything that it is and was; a long history goes on in further lines of the same
//! kind. What points from one prompt to another comes after all of them: a `successor` and a `relationship` each.
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    OnConflict, Outcome,
    items::{Rules, fields_of, overwrite, read_as, unfit},
    left_out::LeftOutRecord,
    repository,
};
use crate::{
    clock::Timestamp,
    db::Tx,
    error::{Error, Result},
    id::{PromptId, VersionId},
    lifecycle::{self, LifecycleChange},
    prompts::{self, Draft, Precondition, Prompt, PromptAsWas},
    relationships::{self, Relationship},
    templates::{InputSchema, TemplateFormat},
    versions::{self, Body, ChangeType, LabelMove, Message, PromptType, Role, Version},
    violations::Violations,
};

/// A prompt, or more of its history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PromptRecord {
    pub(super) kind: Kind,
    pub(super) id: PromptId,
    pub(super) category: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) is_template: bool,
    pub(super) tags: Vec<String>,
    pub(super) parent_id: Option<PromptId>,
    pub(super) parent_version: Option<i64>,
    /// Of the whole history.
    pub(super) version: i64,
    /// After this line.
    pub(super) revision: i64,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted_at: Option<Timestamp>,
    pub(super) versions: Vec<VersionRecord>,
    pub(super) label_history: Vec<LabelMove>,
    pub(super) lifecycle_history: Vec<LifecycleChange>,
    /// While it is written: how many writes the lines before it tell of.
    #[serde(skip)]
    pub(super) writes_before: i64,
}

/// A version. Texts that would make the line too long are written in base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionRecord {
    pub(super) version: i64,
    id: VersionId,
    #[serde(rename = "type")]
    kind: PromptType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_base64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Message>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    messages_base64: Option<Vec<PackedMessage>>,
    /// As [`TemplateFormat::written`] says it, with the engine.
    template_format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template_engine: Option<i64>,
    variables: Vec<String>,
    input_schema: InputSchema,
    config: Map<String, Value>,
    change_summary: Option<String>,
    change_type: ChangeType,
    /// Left out of a line that was edited: then it is computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_hash: Option<String>,
    created_by: String,
    created_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackedMessage {
    role: Role,
    content_base64: String,
}

/// What was to be used in the place of a prompt since a change of its status.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuccessorRecord {
    pub(super) kind: Kind,
    pub(super) prompt_id: PromptId,
    pub(super) sequence: i64,
    pub(super) successor_id: PromptId,
}

/// A relationship.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RelationshipRecord {
    pub(super) kind: Kind,
    #[serde(flatten)]
    pub(super) relationship: Relationship,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Prompt,
    Successor,
    Relationship,
    LeftOut,
}

/// Is it a line of an export, and not the body of a new prompt?
#[must_use]
pub fn is_record(item: &Value) -> bool {
    let own = match item["kind"].as_str() {
        Some("prompt") => "versions",
        Some("successor") => "successor_id",
        Some("relationship") => "relationship_type",
        Some("left_out") => "damaged_version",
        _ => return false,
    };
    item.get(own).is_some()
}

/// A record that was read.
enum Record {
    Prompt(Box<PromptRecord>),
    Successor(SuccessorRecord),
    Relationship(Box<Relationship>),
    LeftOut(LeftOutRecord),
}

fn read(item: Value) -> Result<Record> {
    match item["kind"].as_str() {
        Some("prompt") => {
            let (moves, changes) = (item["label_history"].clone(), item["lifecycle_history"].clone());
            let record: PromptRecord = read_as(item)?;
            refuse_unknown(&moves, &record.label_history)?;
            refuse_unknown(&changes, &record.lifecycle_history)?;
            Ok(Record::Prompt(Box::new(record)))
        }
        Some("successor") => Ok(Record::Successor(read_as(item)?)),
        Some("left_out") => Ok(Record::LeftOut(read_as(item)?)),
        Some("relationship") => {
            let mut fields = fields_of(item)?;
            fields.remove("kind");
            let given = Value::Array(vec![Value::Object(fields.clone())]);
            let relationship: Relationship = read_as(Value::Object(fields))?;
            refuse_unknown(&given, std::slice::from_ref(&relationship))?;
            Ok(Record::Relationship(Box::new(relationship)))
        }
        _ => Err(unfit("a line is a new prompt, or one of an export")),
    }
}

/// Refuses fields that are not kept. The types of answers say nothing of them, as answers may grow.
fn refuse_unknown(given: &Value, kept: &[impl Serialize]) -> Result<()> {
    for (given, kept) in given.as_array().into_iter().flatten().zip(kept) {
        let kept = serde_json::to_value(kept).map_err(|error| Error::Internal(error.into()))?;
        let is_kept = |(key, value): &(&String, &Value)| value.is_null() || kept.get(key.as_str()).is_some();
        if let Some((key, _)) = given.as_object().into_iter().flatten().find(|field| !is_kept(field)) {
            return Err(unfit(&format!("unknown field `{key}`")));
        }
    }
    Ok(())
}

/// What a dry run can only say of its form: it is about what other lines would have brought.
pub(super) fn foretold(item: &Value) -> Option<Result<Outcome>> {
    if !is_record(item) {
        return None;
    }
    match read(item.clone()) {
        Ok(Record::Prompt(record)) if !record.follows() => None,
        Ok(Record::LeftOut(record)) => Some(Err(record.refusal())),
        read => Some(read.map(|_| Outcome::succeeded(None))),
    }
}

/// Writes down what a record says, or nothing of it.
pub(super) async fn work(tx: &mut Tx, rules: Rules<'_>, item: Value) -> Result<Outcome> {
    let record = read(item)?;
    repository::save(tx).await?;
    let worked = match &record {
        Record::Prompt(record) => bring(tx, record).await.map(|()| Outcome::succeeded(Some(record.id))),
        Record::Successor(SuccessorRecord { prompt_id, sequence, successor_id, .. }) => {
            let set = lifecycle::set_successor_as_was(tx, *prompt_id, *sequence, *successor_id).await;
            set.map(|is_new| match is_new {
                true => Outcome::succeeded(Some(*prompt_id)),
                false => Outcome::skipped(Some(*prompt_id), "no-change", "that is known already"),
            })
        }
        Record::Relationship(relationship) => {
            let inserted = relationships::insert_as_was(tx, relationship).await;
            inserted.map(|()| Outcome::succeeded(Some(relationship.source_prompt_id)))
        }
        Record::LeftOut(record) => Err(record.refusal()),
    };
    match worked {
        Ok(outcome) => {
            repository::keep(tx).await?;
            Ok(outcome)
        }
        Err(error) if error.fails_alone() => {
            repository::undo(tx).await?;
            refused(tx, rules, record, error).await
        }
        Err(error) => Err(error),
    }
}

/// What is there already fails, is passed over, or becomes what the record says, as the order wants it.
async fn refused(tx: &mut Tx, rules: Rules<'_>, record: Record, error: Error) -> Result<Outcome> {
    let is_there = ["prompt-exists", "prompt-name-taken", "does-not-follow", "relationship-exists"];
    if rules.on_conflict == OnConflict::Fail || !is_there.contains(&error.code()) {
        return Err(error);
    }
    let skipped = Outcome::skipped(None, error.code(), &error.to_string());
    let Record::Prompt(record) = record else { return Ok(skipped) };
    if rules.on_conflict == OnConflict::Skip {
        return Ok(skipped);
    }
    let Some(draft) = record.as_draft()? else { return Ok(skipped) };
    match find(tx, &record).await? {
        Some(prompt) => overwrite(tx, prompt, draft, rules.change_type).await,
        None => Err(error),
    }
}

/// The prompt of the record's id, or the one of its name.
async fn find(tx: &mut Tx, record: &PromptRecord) -> Result<Option<Prompt>> {
    match prompts::hold_to_replace(tx, record.id, &Precondition::None).await {
        Ok(prompt) => Ok(Some(prompt)),
        Err(Error::NotFound { .. }) => prompts::hold_named(tx, &record.category, &record.name).await,
        Err(error) => Err(error),
    }
}

/// Makes a prompt as it was, or takes it further.
async fn bring(tx: &mut Tx, record: &PromptRecord) -> Result<()> {
    record.check()?;
    let versions: Vec<Version> =
        record.versions.iter().map(|version| version.unpack(record.id)).collect::<Result<_>>()?;
    let from = versions.first().map_or(record.version, |first| first.version - 1);
    let to = versions.last().map_or(from, |last| last.version);
    let prompt = record.as_was(to, versions.last().map(|version| &version.body));
    if record.follows() {
        prompts::follow_as_was(tx, &prompt, from).await?;
    } else {
        prompts::insert_as_was(tx, prompt).await?;
    }
    let newest = versions::append_as_was(tx, from, &versions).await?;
    versions::move_labels_as_was(tx, record.id, newest, &record.label_history).await?;
    lifecycle::append_as_was(tx, record.id, newest, &record.lifecycle_history).await?;
    prompts::moved_in(tx, record.id, !record.follows()).await
}

impl PromptRecord {
    /// Does it go on where another line of the same prompt ended?
    fn follows(&self) -> bool {
        self.versions.first().is_none_or(|first| first.version != 1)
    }

    /// How many writes the line tells of.
    pub(super) fn writes(&self) -> i64 {
        let writes = self.versions.len() + self.label_history.len() + self.lifecycle_history.len();
        i64::try_from(writes).unwrap_or(i64::MAX)
    }

    /// What the line says of itself must be so.
    fn check(&self) -> Result<()> {
        let mut wrong = Violations::default();
        let newest = self.versions.last().map_or(1, |last| last.version);
        wrong.unless(self.version >= newest, "/version", "out-of-range", "must be the number of the newest version");
        let has_both = self.parent_id.is_some() == self.parent_version.is_some();
        wrong.unless(has_both, "/parent_version", "not-together", "stands with `parent_id`, or not at all");
        wrong.end()
    }

    fn as_was(&self, version: i64, newest: Option<&Body>) -> PromptAsWas {
        PromptAsWas {
            id: self.id,
            category: self.category.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            // A store of before did not know that a text without variables can be a template.
            is_template: self.is_template || newest.is_some_and(|body| body.variables.is_empty() && body.is_filled()),
            tags: self.tags.clone(),
            parent: self.parent_id.zip(self.parent_version),
            version,
            revision: self.revision,
            created_by: self.created_by.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            deleted_at: self.deleted_at,
        }
    }

    /// What the prompt is at the last version of this line, if it has one.
    fn as_draft(&self) -> Result<Option<Draft>> {
        let Some(last) = self.versions.last() else { return Ok(None) };
        let Version { body, change_summary, .. } = last.unpack(self.id)?;
        let Self { category, name, description, is_template, tags, .. } = self.clone();
        Ok(Some(Draft { category, name, description, body, is_template, tags, change_summary }))
    }
}

impl VersionRecord {
    /// With `packed`, its texts in base64.
    pub(super) fn new(version: Version, packed: bool) -> Self {
        let Version { body, .. } = version;
        let pack = |text: String| BASE64_STANDARD.encode(text);
        let (content, content_base64) = if packed { (None, body.content.map(pack)) } else { (body.content, None) };
        let pack_all = |messages: Vec<Message>| {
            let pack = |it: Message| PackedMessage { role: it.role, content_base64: pack(it.content) };
            messages.into_iter().map(pack).collect()
        };
        let (messages, messages_base64) =
            if packed { (None, body.messages.map(pack_all)) } else { (body.messages, None) };
        let (template_format, template_engine) = body.template_format.written();
        Self {
            version: version.version,
            id: version.id,
            kind: body.kind,
            content,
            content_base64,
            messages,
            messages_base64,
            template_format: template_format.to_owned(),
            template_engine,
            variables: body.variables,
            input_schema: body.input_schema,
            config: body.config,
            change_summary: version.change_summary,
            change_type: version.change_type,
            content_hash: Some(version.content_hash),
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }

    fn unpack(&self, prompt_id: PromptId) -> Result<Version> {
        let it = self.clone();
        if it.content.is_some() && it.content_base64.is_some() || it.messages.is_some() && it.messages_base64.is_some()
        {
            return Err(unfit("a version has its texts plain or in base64, not both"));
        }
        let content = it.content_base64.map(|text| unpack(&text)).transpose()?.or(it.content);
        let packed = it.messages_base64.map(|messages| {
            let unpack = |it: PackedMessage| Ok(Message { role: it.role, content: unpack(&it.content_base64)? });
            messages.into_iter().map(unpack).collect::<Result<Vec<_>>>()
        });
        let messages = packed.transpose()?.or(it.messages);
        let Self { kind, variables, input_schema, config, .. } = self.clone();
        let template_format = TemplateFormat::from_written(&self.template_format, self.template_engine)
            .map_err(|error| unfit(&error.to_string()))?;
        let body = Body { kind, content, messages, template_format, variables, input_schema, config };
        let content_hash = it.content_hash.unwrap_or_else(|| body.hash());
        Ok(Version {
            id: it.id,
            prompt_id,
            version: it.version,
            body,
            change_summary: it.change_summary,
            change_type: it.change_type,
            content_hash,
            created_by: it.created_by,
            created_at: it.created_at,
            damaged: false,
        })
    }
}

fn unpack(text: &str) -> Result<String> {
    let bytes = BASE64_STANDARD.decode(text).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| unfit("a text in base64 is no text"))
}
