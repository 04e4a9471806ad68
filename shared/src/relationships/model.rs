//! A relationship, and the views of many of them.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    db::FromRow,
    error::{Error, Result, Violation},
    id::{PromptId, RelationshipId},
    names::names,
    prompts::LifecycleStatus,
};

const METADATA_BYTES_MAX: usize = 16 * 1024;

/// How the source of a relationship is related to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationshipType {
    /// It is built on the target. Not in a circle.
    Extends,
    /// It mentions the target.
    References,
    /// Either will do.
    Alternative,
    /// They are much the same.
    Similar,
    /// It does not work without the target. Not in a circle.
    DependsOn,
    /// It is to be used in the target's place.
    Replaces,
    /// They go together.
    Complements,
    /// They must not be used together.
    Conflicts,
}

names!(RelationshipType {
    Extends = "extends",
    References = "references",
    Alternative = "alternative",
    Similar = "similar",
    DependsOn = "depends_on",
    Replaces = "replaces",
    Complements = "complements",
    Conflicts = "conflicts",
});

impl RelationshipType {
    /// Would a circle of them make no sense?
    pub(super) fn is_acyclic(self) -> bool {
        matches!(self, Self::Extends | Self::DependsOn)
    }
}

/// A relationship from one prompt to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Relationship {
    /// `rel_…`
    pub id: RelationshipId,
    /// The prompt it goes out from.
    pub source_prompt_id: PromptId,
    /// The prompt it points at.
    pub target_prompt_id: PromptId,
    /// How the source is related to the target.
    pub relationship_type: RelationshipType,
    /// 0 to 1.
    pub strength: f64,
    /// Whatever its author wants to keep with it.
    #[sqlx(json)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A relationship to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRelationship {
    /// The prompt it points at.
    pub target_prompt_id: PromptId,
    /// How the source is related to the target.
    pub relationship_type: RelationshipType,
    /// 0 to 1; 1, unless said.
    #[serde(default = "full")]
    #[schema(minimum = 0, maximum = 1, default = 1)]
    pub strength: f64,
    /// Whatever its author wants to keep with it, up to 16 KiB.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

fn full() -> f64 {
    1.0
}

/// What is to change of a relationship; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RelationshipPatch {
    /// 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub strength: Option<f64>,
    /// The whole of it, up to 16 KiB.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

pub(super) fn check(strength: Option<f64>, metadata: Option<&Map<String, Value>>) -> Result<()> {
    let mut violations = Vec::new();
    if strength.is_some_and(|strength| !(0.0..=1.0).contains(&strength)) {
        violations.push(Violation::new("/strength", "out-of-range", "`strength` must be a number from 0 to 1"));
    }
    let size = metadata.and_then(|metadata| serde_json::to_string(metadata).ok()).map_or(0, |json| json.len());
    if size > METADATA_BYTES_MAX {
        violations.push(Violation::new("/metadata", "too-long", "`metadata` must have at most 16 KiB"));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
}

/// Which ends of relationships are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Those from the prompt and those to it.
    #[default]
    Both,
    /// Those from the prompt.
    Outgoing,
    /// Those to the prompt.
    Incoming,
}

/// Which relationships of a prompt are wanted.
#[derive(Clone, Debug)]
pub struct RelationshipFilter {
    /// From it, to it, or both.
    pub direction: Direction,
    /// Only these.
    pub relationship_type: Option<RelationshipType>,
    /// At least so strong.
    pub min_strength: Option<f64>,
    /// The most of each direction.
    pub limit: i64,
}

/// The relationships of a prompt with prompts that are not deleted, the strongest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Relationships {
    /// Whose they are.
    pub prompt_id: PromptId,
    /// Those from it.
    pub outgoing_relationships: Vec<Neighbour>,
    /// Those to it.
    pub incoming_relationships: Vec<Neighbour>,
    /// How many there are in all, shown or not.
    pub total_relationships: i64,
}

/// A relationship, and the prompt at its other end.
#[derive(Clone, Debug, Serialize, ToSchema, FromRow)]
pub struct Neighbour {
    /// The relationship.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub relationship: Relationship,
    /// Its other end: what the prompt is called.
    pub name: String,
    /// Where it belongs.
    pub category: String,
    /// Where it stands in its life.
    pub lifecycle_status: LifecycleStatus,
}

/// A prompt among others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, FromRow)]
pub struct Node {
    /// `prm_…`
    pub id: PromptId,
    /// What it is called.
    pub name: String,
    /// Where it belongs.
    pub category: String,
    /// Where it stands in its life.
    pub lifecycle_status: LifecycleStatus,
    /// So many steps from where the graph begins.
    pub depth: i64,
}

/// A relationship between two of them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema, FromRow)]
pub struct Edge {
    /// Where it goes out from.
    pub source: PromptId,
    /// Where it points.
    pub target: PromptId,
    /// How they are related.
    #[serde(rename = "type")]
    #[sqlx(rename = "relationship_type")]
    pub kind: RelationshipType,
    /// 0 to 1.
    pub strength: f64,
}

/// Everything within a few steps of a prompt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Graph {
    /// The prompts, nearest first.
    pub nodes: Vec<Node>,
    /// Every relationship between them, once.
    pub edges: Vec<Edge>,
    /// Are there more than are shown?
    pub truncated: bool,
}

/// A prompt that has to do with another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Related {
    /// `prm_…`
    pub id: PromptId,
    /// What it is called.
    pub name: String,
    /// Where it belongs.
    pub category: String,
    /// Where it stands in its life.
    pub lifecycle_status: LifecycleStatus,
    /// Of the strongest relationship between the two.
    pub strength: f64,
    /// How they are related, in either direction.
    pub relationship_types: Vec<RelationshipType>,
}

/// The prompts that have to do with another, the closest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RelatedPrompts {
    /// With which.
    pub prompt_id: PromptId,
    /// The closest of them.
    pub items: Vec<Related>,
    /// How many there are.
    pub total: i64,
}

/// What breaks when a prompt changes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Users {
    /// Which prompt.
    pub prompt_id: PromptId,
    /// What extends it, depends on it or references it, the strongest first.
    pub items: Vec<UsedBy>,
    /// How many there are.
    pub total: i64,
}

/// A prompt that uses another.
#[derive(Clone, Debug, Serialize, ToSchema, FromRow)]
pub struct UsedBy {
    /// `prm_…`
    pub id: PromptId,
    /// What it is called.
    pub name: String,
    /// Where it belongs.
    pub category: String,
    /// Where it stands in its life.
    pub lifecycle_status: LifecycleStatus,
    /// How it uses the other.
    pub relationship_type: RelationshipType,
    /// 0 to 1.
    pub strength: f64,
}
