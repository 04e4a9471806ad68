//! The published contract is the one the code keeps.
use serde_json::Value;

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
