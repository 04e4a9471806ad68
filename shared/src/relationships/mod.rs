//! Relationships: what a prompt builds on, replaces or goes with, and what hangs on it.
mod model;
mod postgres;
mod repository;
mod service;
mod sqlite;

pub use model::{
    Direction, Edge, Graph, NewRelationship, Node, Related, RelatedPrompts, Relationship, RelationshipFilter,
    RelationshipPatch, RelationshipType, Relationships, UsedBy, Users,
};
pub use service::{create, delete, graph, insert_as_was, list, page_to_export, related, successor, update, used_by};
