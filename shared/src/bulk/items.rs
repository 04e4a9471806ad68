//! One item: what it does, and what becomes of it.
use serde_json::{Map, Value};

use super::{ItemState, OnConflict, OperationType, orders::TagChange, records, repository};
use crate::{
    caller::Scope,
    change::Change,
    db::Tx,
    error::{Error, Result},
    id::PromptId,
    lifecycle::{self, LifecycleOrder, NewStatus},
    misfit, objects,
    prompts::{self, Draft, NewPrompt, Precondition, Prompt, PromptPatch},
    text,
    versions::ChangeType,
};

/// Of what is kept of a refusal.
const DETAIL_CHARS_MAX: usize = 4096;

/// What became of one item.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// What became of it.
    pub state: ItemState,
    /// The prompt it made or changed.
    pub prompt_id: Option<PromptId>,
    /// Why it was refused or passed over.
    pub code: Option<String>,
    /// One sentence for a person.
    pub detail: Option<String>,
}

/// What the items of an operation do, and how.
#[derive(Clone, Copy)]
pub(super) struct Rules<'o> {
    pub(super) operation_type: OperationType,
    pub(super) on_conflict: OnConflict,
    pub(super) tags: Option<&'o TagChange>,
    pub(super) change_type: ChangeType,
}

/// An item of a dry run, and the one before it of its name that would have had an effect.
pub(super) struct Rehearsal {
    pub(super) earlier: Option<Value>,
    pub(super) item: Value,
}

/// Works items in their order. Those that make prompts are written together: they are the most there are, and one by
/// one each would be eight statements.
///
/// Whoever ordered them must still be let in: else each is refused.
pub(super) async fn work(tx: &mut Tx, rules: Rules<'_>, payloads: impl Iterator<Item = Value>) -> Result<Vec<Outcome>> {
    if !tx.caller().grant.allows(Scope::Bulk) {
        let detail = "the key that ordered this has ended, or was taken back";
        return Ok(payloads.map(|_| Outcome::failed("forbidden", detail)).collect());
    }
    let (mut worked, mut drafts) = (Vec::new(), Vec::new());
    for (place, payload) in payloads.enumerate() {
        let is_new = match rules.operation_type {
            OperationType::Create => true,
            OperationType::Import => !records::is_record(&payload),
            _ => false,
        };
        if is_new {
            match read(payload) {
                Ok(draft) => drafts.push((place, draft)),
                Err(error) => worked.push((place, failed(error)?)),
            }
        } else {
            make(tx, rules, std::mem::take(&mut drafts), &mut worked).await?;
            worked.push((place, one(tx, rules, payload).await?));
        }
    }
    make(tx, rules, drafts, &mut worked).await?;
    worked.sort_by_key(|(place, _)| *place);
    Ok(worked.into_iter().map(|(_, outcome)| outcome).collect())
}

/// What would become of an item: it is worked and undone, after the earlier one of its name.
pub(super) async fn rehearse(tx: &mut Tx, rules: Rules<'_>, rehearsal: Rehearsal) -> Result<Outcome> {
    let makes = matches!(rules.operation_type, OperationType::Create | OperationType::Import);
    if makes && let Some(outcome) = records::foretold(&rehearsal.item) {
        return outcome.or_else(failed);
    }
    repository::save(tx).await?;
    if let Some(earlier) = rehearsal.earlier {
        work(tx, rules, std::iter::once(earlier)).await?;
    }
    let outcome = work(tx, rules, std::iter::once(rehearsal.item)).await?.pop();
    repository::undo(tx).await?;
    let outcome = outcome.ok_or_else(|| Error::internal("an item without an outcome"))?;
    Ok(if makes { Outcome { prompt_id: None, ..outcome } } else { outcome })
}

/// Makes prompts, and after them does what is to be done about those whose names are taken.
async fn make(
    tx: &mut Tx,
    rules: Rules<'_>,
    drafts: Vec<(usize, Draft)>,
    worked: &mut Vec<(usize, Outcome)>,
) -> Result<()> {
    let new: Vec<&Draft> = drafts.iter().map(|(_, draft)| draft).collect();
    let made = prompts::insert_many(tx, &new, rules.change_type).await?;
    for ((place, draft), id) in drafts.into_iter().zip(made) {
        let outcome = match id {
            Some(id) => Outcome::succeeded(Some(id)),
            None => taken(tx, rules, draft).await?,
        };
        worked.push((place, outcome));
    }
    Ok(())
}

async fn taken(tx: &mut Tx, rules: Rules<'_>, draft: Draft) -> Result<Outcome> {
    let (code, detail) =
        ("prompt-name-taken", format!("`{}` already has a prompt named `{}`", draft.category, draft.name));
    match rules.on_conflict {
        OnConflict::Fail => Ok(Outcome::failed(code, &detail)),
        OnConflict::Skip => Ok(Outcome::skipped(None, code, &detail)),
        OnConflict::Update => {
            let Some(prompt) = prompts::hold_named(tx, &draft.category, &draft.name).await? else {
                return Err(Error::race("a taken name that nobody has any more"));
            };
            overwrite(tx, prompt, draft, rules.change_type).await
        }
    }
}

/// Makes a held prompt be as the draft says.
pub(super) async fn overwrite(tx: &mut Tx, prompt: Prompt, draft: Draft, change_type: ChangeType) -> Result<Outcome> {
    let change_type = if change_type == ChangeType::Create { ChangeType::Update } else { change_type };
    change(tx, prompt, all_of(draft), change_type).await
}

async fn change(tx: &mut Tx, prompt: Prompt, patch: PromptPatch, change_type: ChangeType) -> Result<Outcome> {
    let (id, revision) = (prompt.id, prompt.revision);
    match prompts::update_in(tx, prompt, patch, change_type).await {
        Ok(prompt) if prompt.revision == revision => {
            Ok(Outcome::skipped(Some(id), "no-change", "the prompt is that already"))
        }
        Ok(_) => Ok(Outcome::succeeded(Some(id))),
        Err(error) => Ok(Outcome { prompt_id: Some(id), ..failed(error)? }),
    }
}

/// A patch that leaves nothing as it was.
fn all_of(draft: Draft) -> PromptPatch {
    PromptPatch {
        category: Change::Set(draft.category),
        name: Change::Set(draft.name),
        description: draft.description.map_or(Change::Clear, Change::Set),
        kind: Some(draft.body.kind),
        content: draft.body.content.into(),
        messages: draft.body.messages.into(),
        template_format: Change::Set(draft.body.template_format),
        is_template: Change::Set(draft.is_template),
        variables: Change::Set(draft.body.variables),
        input_schema: Change::Set(draft.body.input_schema),
        tags: Change::Set(draft.tags),
        config: Change::Set(draft.body.config),
        change_summary: draft.change_summary,
    }
}

/// An item about a prompt that is there, or of another store.
async fn one(tx: &mut Tx, rules: Rules<'_>, payload: Value) -> Result<Outcome> {
    let worked = match rules.operation_type {
        OperationType::Create | OperationType::Import => records::work(tx, rules, payload).await,
        OperationType::Update => update_one(tx, payload).await,
        OperationType::Delete => delete_one(tx, &payload).await,
        OperationType::Tags => tag_one(tx, rules, &payload).await,
        OperationType::Lifecycle => move_one(tx, payload).await,
    };
    worked.or_else(failed)
}

async fn update_one(tx: &mut Tx, payload: Value) -> Result<Outcome> {
    let Value::Object(mut fields) = payload else {
        return Err(unfit("an item is an object with `prompt_id` and what is to change"));
    };
    let id = id_of(&fields.remove("prompt_id").unwrap_or_default())?;
    let patch = read_as::<PromptPatch>(Value::Object(fields))?;
    let prompt = prompts::hold_for(tx, id, &Precondition::None, &patch).await?;
    change(tx, prompt, patch, ChangeType::Update).await
}

async fn delete_one(tx: &mut Tx, payload: &Value) -> Result<Outcome> {
    let id = id_of(payload)?;
    prompts::delete_in(tx, id, &Precondition::None).await?;
    Ok(Outcome::succeeded(Some(id)))
}

async fn tag_one(tx: &mut Tx, rules: Rules<'_>, payload: &Value) -> Result<Outcome> {
    let id = id_of(payload)?;
    let Some(TagChange { tags_to_add, tags_to_remove }) = rules.tags else {
        return Err(Error::internal("an operation on tags that names none"));
    };
    let prompt = prompts::hold(tx, id, &Precondition::None).await?;
    let kept = prompt.tags.iter().filter(|tag| !tags_to_remove.contains(tag));
    let new = tags_to_add.iter().filter(|tag| !prompt.tags.contains(tag));
    let patch = PromptPatch { tags: Change::Set(kept.chain(new).cloned().collect()), ..PromptPatch::default() };
    change(tx, prompt, patch, ChangeType::Update).await
}

async fn move_one(tx: &mut Tx, payload: Value) -> Result<Outcome> {
    let LifecycleOrder { prompt_id, status, reason } =
        objects::read(payload).map_err(|error: serde_json::Error| Error::Internal(error.into()))?;
    let new = NewStatus { status, reason, sunset_at: None, successor_id: None };
    match lifecycle::change_in(tx, prompt_id, &Precondition::None, new).await {
        Ok(_) => Ok(Outcome::succeeded(Some(prompt_id))),
        Err(error) => Ok(Outcome { prompt_id: Some(prompt_id), ..failed(error)? }),
    }
}

/// A malformed id reads like an unknown one.
fn id_of(value: &Value) -> Result<PromptId> {
    let Some(text) = value.as_str() else { return Err(unfit("`prompt_id` must be the id of a prompt")) };
    text.parse().map_err(|_| Error::not_found("prompt", text))
}

fn read(item: Value) -> Result<Draft> {
    read_as::<NewPrompt>(item)?.check()
}

/// Reads an item, or says what does not fit.
pub(super) fn read_as<T: serde::de::DeserializeOwned>(item: Value) -> Result<T> {
    misfit::read(item, "the item")
}

pub(super) fn unfit(detail: &str) -> Error {
    Error::Invalid { code: "validation-failed", detail: detail.to_owned(), violations: Vec::new() }
}

/// Fields of an object, for whoever takes some of them out.
pub(super) fn fields_of(item: Value) -> Result<Map<String, Value>> {
    match item {
        Value::Object(fields) => Ok(fields),
        _ => Err(unfit("an item is an object")),
    }
}

/// A refusal is the item's end, and so is damage to the one version it is about; anything else is the chunk's.
pub(super) fn failed(error: Error) -> Result<Outcome> {
    if !error.fails_alone() {
        return Err(error);
    }
    let mut detail = error.to_string();
    if let Error::Invalid { violations, .. } = &error
        && violations.len() > 1
    {
        let all: Vec<&str> = violations.iter().map(|violation| violation.detail.as_str()).collect();
        detail = all.join("; ");
    }
    Ok(Outcome::failed(error.code(), &detail))
}

impl Outcome {
    pub(super) fn succeeded(prompt_id: Option<PromptId>) -> Self {
        Self { state: ItemState::Succeeded, prompt_id, code: None, detail: None }
    }

    pub(super) fn skipped(prompt_id: Option<PromptId>, code: &str, detail: &str) -> Self {
        Self { state: ItemState::Skipped, prompt_id, ..Self::failed(code, detail) }
    }

    /// What the detail quotes of a client is made so that every engine can keep it.
    fn failed(code: &str, detail: &str) -> Self {
        let detail = Some(text::printable(detail, DETAIL_CHARS_MAX));
        Self { state: ItemState::Failed, prompt_id: None, code: Some(code.to_owned()), detail }
    }
}
