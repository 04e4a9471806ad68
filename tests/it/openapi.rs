//! The published contract is the one the code keeps.
use std::collections::BTreeMap;

use serde_json::Value;
use syn::{Attribute, Item};

use crate::sources::{sources, top};

#[test]
fn the_published_contract_is_up_to_date() {
    let published = std::fs::read_to_string(top().join("api/openapi.json")).unwrap_or_default();
    assert!(published == api::document(), "api/openapi.json differs from the code: run `make openapi` and commit it");
}

#[test]
fn every_route_is_part_of_the_contract() {
    // Routes that take part in the contract are mounted by `routes!`, which wants an annotation.
    let mut found = Vec::new();
    for source in sources("api/src").iter().filter(|source| source.path != "api/src/lib.rs") {
        if source.code().contains(".route(") {
            found.push(source.path.clone());
        }
    }
    assert!(found.is_empty(), "mount with `routes!` and annotate: {found:?}");
    let mounted: usize = sources("api/src").iter().map(|source| source.code().matches("#[utoipa::path(").count()).sum();
    let contract: Value = serde_json::from_str(&api::document()).unwrap();
    let paths = contract["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, mounted, "an annotated handler is not mounted, or mounted twice");
}

#[test]
fn every_operation_says_who_it_is_and_how_it_refuses() {
    let contract: Value = serde_json::from_str(&api::document()).unwrap();
    let mut ids = Vec::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let place = format!("{method} {path}");
            ids.push(operation["operationId"].as_str().unwrap_or_else(|| panic!("{place}: no operationId")).to_owned());
            assert!(operation["summary"].is_string(), "{place}: no summary");
            assert!(operation["tags"][0].is_string(), "{place}: no tag");
            let probe = path.starts_with("/health") || path == "/metrics";
            assert!(probe || operation["responses"]["default"].is_object(), "{place}: does not say how it refuses");
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an operationId stands twice");
}

#[test]
fn no_two_schemas_share_a_name() {
    let mut named = BTreeMap::<String, Vec<String>>::new();
    for source in ["shared/src", "api/src"].iter().flat_map(|folder| sources(folder)) {
        for item in source.items() {
            let (ident, attrs) = match &item {
                Item::Struct(it) => (&it.ident, &it.attrs),
                Item::Enum(it) => (&it.ident, &it.attrs),
                _ => continue,
            };
            if attrs.iter().any(|it| it.path().is_ident("derive") && said(it).contains("ToSchema")) {
                let schema = attrs.iter().filter(|it| it.path().is_ident("schema")).map(said).collect::<String>();
                let renamed = schema.split_once("as = ").map(|(_, rest)| rest.split([',', ')']).next().unwrap());
                let name = renamed.map_or_else(|| ident.to_string(), |it| it.trim().to_owned());
                named.entry(name).or_default().push(source.path.clone());
            }
        }
    }
    assert!(named.len() > 150, "{}", named.len());
    named.retain(|_, places| places.len() > 1);
    assert!(named.is_empty(), "the later hides the earlier; give one of them `#[schema(as = …)]`: {named:#?}");

    let contract: Value = serde_json::from_str(&api::document()).unwrap();
    let schemas = contract["components"]["schemas"].as_object().unwrap();
    let generic: Vec<_> = schemas.keys().filter(|it| matches!(it.as_str(), "BTreeMap" | "HashMap" | "Vec")).collect();
    assert!(generic.is_empty(), "an alias of a generic type has no name of its own; use `#[schema(inline)]`");
}

fn said(attribute: &Attribute) -> String {
    attribute.meta.require_list().map_or_else(|_| String::new(), |list| list.tokens.to_string())
}
