//! What may be ordered of many prompts, and the items that it comes to.
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{ItemState, OnConflict, OperationType, Outcome};
use crate::{
    clock::Timestamp,
    db::Json,
    error::{Error, Result, Violation},
    id::PromptId,
    prompts::{LifecycleStatus, PromptFilter, Show, Sort},
    text,
};

/// The most items of one request. Larger sets are imported.
pub const ITEMS_MAX: usize = 10_000;
const TAGS_MAX: usize = 50;

/// Prompts to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkCreate {
    /// 1 to 10,000, each like the body of `POST /prompts`.
    #[schema(value_type = Vec<crate::prompts::NewPrompt>)]
    pub prompts: Vec<Value>,
    /// What happens to one whose name is taken.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Say what would happen, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Prompts to be changed.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkUpdate {
    /// 1 to 10,000, each a `prompt_id` and what is to change, like the body of `PUT /prompts/{id}`.
    #[schema(value_type = Vec<Object>)]
    pub prompts: Vec<Value>,
    /// Say what would happen, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Prompts to be deleted.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkDelete {
    /// 1 to 10,000.
    #[schema(value_type = Vec<PromptId>)]
    pub prompt_ids: Vec<Value>,
    /// Say what would happen, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Tags to be given and taken away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkTags {
    /// 1 to 10,000; or a filter.
    pub prompt_ids: Option<Vec<PromptId>>,
    /// Every prompt that matches when the order is taken.
    pub filter: Option<BulkPrompts>,
    /// They have these afterwards.
    #[serde(default)]
    pub tags_to_add: Vec<String>,
    /// They do not have these.
    #[serde(default)]
    pub tags_to_remove: Vec<String>,
    /// Say what would happen, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Which prompts are meant: those that meet everything that is said. Empty: all that are not deleted.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BulkPrompts {
    /// Exactly this one; or `folder/*` for everything below it.
    pub category: Option<String>,
    /// They have all of these.
    pub tags: Vec<String>,
    /// They stand here in their life.
    pub lifecycle_status: Option<LifecycleStatus>,
    /// They have this label.
    pub label: Option<String>,
    /// They were made by this actor.
    pub created_by: Option<String>,
    /// They are to be filled, or not.
    pub is_template: Option<bool>,
    /// They were written to at this moment or later.
    pub updated_since: Option<Timestamp>,
}

impl From<BulkPrompts> for PromptFilter {
    fn from(prompts: BulkPrompts) -> Self {
        Self {
            category: prompts.category,
            tags: prompts.tags,
            lifecycle_status: prompts.lifecycle_status,
            label: prompts.label,
            created_by: prompts.created_by,
            is_template: prompts.is_template,
            updated_since: prompts.updated_since,
            ..Self::all(Show { content: false, usage_since: None }, Sort::Oldest)
        }
    }
}

/// Prompts to be published, deprecated or archived, or brought back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkLifecycle {
    /// 1 to 10,000, each once.
    pub prompt_ids: Vec<PromptId>,
    /// Where they shall stand.
    pub status: LifecycleStatus,
    /// For those who ask later.
    pub reason: Option<String>,
    /// Say what would happen, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The bare list of a request is an order without anything else.
impl From<Vec<Value>> for BulkCreate {
    fn from(prompts: Vec<Value>) -> Self {
        Self { prompts, ..Self::default() }
    }
}

impl From<Vec<Value>> for BulkUpdate {
    fn from(prompts: Vec<Value>) -> Self {
        Self { prompts, ..Self::default() }
    }
}

impl From<Vec<Value>> for BulkDelete {
    fn from(prompt_ids: Vec<Value>) -> Self {
        Self { prompt_ids, ..Self::default() }
    }
}

/// What is done to the tags of each prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TagChange {
    pub(super) tags_to_add: Vec<String>,
    pub(super) tags_to_remove: Vec<String>,
}

/// An operation to be written down: what it does, and what to.
pub(super) struct Order {
    pub(super) operation_type: OperationType,
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
    pub(super) parameters: Option<TagChange>,
    pub(super) items: Items,
}

/// What an operation is about.
pub(super) enum Items {
    /// These.
    Listed(Vec<NewItem>),
    /// Every prompt that matches.
    Matching(Box<PromptFilter>),
    /// What is yet to come.
    Coming,
}

/// An item to be written down.
pub(super) struct NewItem {
    pub(super) index: i64,
    pub(super) payload: Option<Json<Value>>,
    /// The same for items of the same category and name.
    pub(super) name_key: Option<String>,
    pub(super) state: ItemState,
    pub(super) code: Option<String>,
    pub(super) detail: Option<String>,
}

impl NewItem {
    pub(super) fn new(index: i64, payload: Value) -> Self {
        let name_key = named(&payload).as_ref().map(name_key);
        Self { index, payload: Some(Json(payload)), name_key, state: ItemState::Pending, code: None, detail: None }
    }

    /// One that has come to its end already.
    pub(super) fn settled(index: i64, outcome: Outcome) -> Self {
        let Outcome { state, code, detail, .. } = outcome;
        Self { index, payload: None, name_key: None, state, code, detail }
    }
}

impl Items {
    fn listed(payloads: impl Iterator<Item = Value>) -> Self {
        Self::Listed((0..).zip(payloads).map(|(index, payload)| NewItem::new(index, payload)).collect())
    }
}

impl Order {
    fn new(operation_type: OperationType, dry_run: bool, items: Items) -> Self {
        Self { operation_type, on_conflict: OnConflict::Fail, dry_run, parameters: None, items }
    }

    /// Of items that are yet to come.
    pub(super) fn import(on_conflict: OnConflict, dry_run: bool) -> Self {
        Self { on_conflict, ..Self::new(OperationType::Import, dry_run, Items::Coming) }
    }
}

impl BulkCreate {
    pub(super) fn into_order(self) -> Result<Order> {
        check_count("/prompts", self.prompts.len())?;
        let items = Items::listed(self.prompts.into_iter());
        Ok(Order { on_conflict: self.on_conflict, ..Order::new(OperationType::Create, self.dry_run, items) })
    }
}

impl BulkUpdate {
    pub(super) fn into_order(self) -> Result<Order> {
        check_count("/prompts", self.prompts.len())?;
        Ok(Order::new(OperationType::Update, self.dry_run, Items::listed(self.prompts.into_iter())))
    }
}

impl BulkDelete {
    pub(super) fn into_order(self) -> Result<Order> {
        check_count("/prompt_ids", self.prompt_ids.len())?;
        Ok(Order::new(OperationType::Delete, self.dry_run, Items::listed(self.prompt_ids.into_iter())))
    }
}

impl BulkTags {
    pub(super) fn into_order(self) -> Result<Order> {
        let mut violations = Vec::new();
        let tags_to_add = checked_tags(&self.tags_to_add, "/tags_to_add", &mut violations);
        let tags_to_remove = checked_tags(&self.tags_to_remove, "/tags_to_remove", &mut violations);
        if self.tags_to_add.is_empty() && self.tags_to_remove.is_empty() {
            let detail = "give `tags_to_add`, `tags_to_remove` or both";
            violations.push(Violation::new("/tags_to_add", "required", detail));
        }
        if let Some(index) = tags_to_remove.iter().position(|tag| tags_to_add.contains(tag)) {
            let detail = "a tag cannot be given and taken away at once";
            violations.push(Violation::new(format!("/tags_to_remove/{index}"), "not-together", detail));
        }
        if !violations.is_empty() {
            return Err(Error::from_violations(violations));
        }
        let items = match (self.prompt_ids, self.filter) {
            (Some(ids), None) => Items::listed(each_once(ids)?.into_iter().map(Value::from)),
            (None, Some(filter)) => Items::Matching(Box::new(PromptFilter::from(filter).composed()?)),
            (None, None) => return Err(Error::invalid("/prompt_ids", "required", "give `prompt_ids` or a `filter`")),
            (Some(_), Some(_)) => {
                return Err(Error::invalid("/filter", "not-together", "give `prompt_ids` or a `filter`, not both"));
            }
        };
        let parameters = Some(TagChange { tags_to_add, tags_to_remove });
        Ok(Order { parameters, ..Order::new(OperationType::Tags, self.dry_run, items) })
    }
}

fn checked_tags(tags: &[String], pointer: &str, violations: &mut Vec<Violation>) -> Vec<String> {
    if tags.len() > TAGS_MAX {
        violations.push(Violation::new(pointer, "too-many", format!("a prompt may have at most {TAGS_MAX} tags")));
    }
    let mut kept = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        match text::identifier(tag, &format!("{pointer}/{index}"), text::TAG_CHARS_MAX) {
            Ok(tag) if kept.contains(&tag) => {}
            Ok(tag) => kept.push(tag),
            Err(violation) => violations.push(violation),
        }
    }
    kept
}

impl BulkLifecycle {
    pub(super) fn into_order(self) -> Result<Order> {
        let ids = each_once(self.prompt_ids)?;
        if let Some(reason) = &self.reason {
            text::sentence(reason, "/reason").map_err(|violation| Error::from_violations(vec![violation]))?;
        }
        let item = |id| json!({ "prompt_id": id, "status": self.status, "reason": self.reason });
        Ok(Order::new(OperationType::Lifecycle, self.dry_run, Items::listed(ids.into_iter().map(item))))
    }
}

/// The ids as text, if they are 1 to 10,000, and none stands twice.
fn each_once(ids: Vec<PromptId>) -> Result<Vec<String>> {
    check_count("/prompt_ids", ids.len())?;
    let mut known = HashSet::new();
    if let Some(index) = ids.iter().position(|id| !known.insert(*id)) {
        let detail = "each prompt may stand in the list once";
        return Err(Error::invalid(format!("/prompt_ids/{index}"), "duplicate", detail));
    }
    Ok(ids.into_iter().map(|id| id.to_string()).collect())
}

fn check_count(pointer: &str, count: usize) -> Result<()> {
    if (1..=ITEMS_MAX).contains(&count) {
        return Ok(());
    }
    let detail = format!("give 1 to {ITEMS_MAX} prompts at once; larger sets are imported");
    Err(Error::invalid(pointer, "out-of-range", detail))
}

/// The category and name of an item, as they would be kept.
pub(super) fn named(item: &Value) -> Option<(String, String)> {
    let identifier = |key: &str| {
        let text = item.get(key)?.as_str()?;
        text::identifier(text, key, text::NAME_CHARS_MAX).ok()
    };
    Some((identifier("category")?, identifier("name")?))
}

/// Short, and the same for the same category and name.
fn name_key((category, name): &(String, String)) -> String {
    let digest = Sha256::new().chain_update(category).chain_update("\0").chain_update(name).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_one_name_have_one_key() {
        let key = |category: &str, name: &str| {
            NewItem::new(0, json!({ "category": category, "name": name })).name_key.unwrap()
        };
        assert_eq!(key("a", " x "), key("a", "x"));
        assert_ne!(key("ab", "c"), key("a", "bc"));
        for nameless in [json!(3), json!({ "category": "a" }), json!({ "category": "a", "name": "" })] {
            assert!(NewItem::new(0, nameless).name_key.is_none());
        }
    }

    #[test]
    fn tags_are_given_or_taken_away_of_some_prompts() {
        let id = PromptId::generate(Timestamp::from_millis(1));
        let order = |body: Value| {
            let tags: BulkTags = serde_json::from_value(body).unwrap();
            match tags.into_order() {
                Ok(_) => Vec::new(),
                Err(Error::Invalid { violations, .. }) => violations.into_iter().map(|it| it.pointer).collect(),
                Err(other) => panic!("{other}"),
            }
        };
        for (body, pointers) in [
            (json!({ "prompt_ids": [id], "tags_to_add": ["a"] }), vec![]),
            (json!({ "filter": {}, "tags_to_remove": ["a"] }), vec![]),
            (json!({ "prompt_ids": [id] }), vec!["/tags_to_add"]),
            (json!({ "tags_to_add": ["a"] }), vec!["/prompt_ids"]),
            (json!({ "prompt_ids": [id], "filter": {}, "tags_to_add": ["a"] }), vec!["/filter"]),
            (json!({ "prompt_ids": [id, id], "tags_to_add": ["a"] }), vec!["/prompt_ids/1"]),
            (json!({ "prompt_ids": [], "tags_to_add": ["a"] }), vec!["/prompt_ids"]),
            (json!({ "prompt_ids": [id], "tags_to_add": ["a", ""] }), vec!["/tags_to_add/1"]),
            (json!({ "filter": {}, "tags_to_add": ["a"], "tags_to_remove": [" a "] }), vec!["/tags_to_remove/0"]),
        ] {
            assert_eq!(order(body.clone()), pointers, "{body}");
        }
    }
}
