//! The domain itself knows how far a caller reaches: it refuses whatever the door might let through.
use std::sync::Arc;

use serde_json::json;
use shared::{
    Caller, Error, Result, advice, analytics,
    caller::{Folders, Grant, Scope},
    drift,
    id::PromptId,
    lifecycle,
    page::PageRequest,
    prompts::{self, Precondition, Selector, Show},
    refinement::{self, RefinementFilter},
    relationships, suggestions,
};
use support::TestApp;
use syn::spanned::Spanned;

/// Somebody who may do everything with the folder `mine`, and nothing with others.
fn narrow() -> Caller {
    let scopes = Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect();
    let grant = Grant { scopes, folders: Folders::of(vec!["mine".to_owned()]), ..Grant::none() };
    Caller::with(Arc::new(grant), "narrow", "-", None)
}

/// What became of a call, whatever it answers.
fn told<T>(outcome: Result<T>) -> std::result::Result<(), Error> {
    outcome.map(drop)
}

/// Every call about one prompt, by its name.
async fn calls(test: &TestApp, caller: &Caller, id: PromptId) -> Vec<(&'static str, std::result::Result<(), Error>)> {
    let (app, page, anyway, newest) =
        (&test.app, PageRequest::new(None, None, None).unwrap(), &Precondition::None, &Selector::Latest);
    let fork = || serde_json::from_value(json!({ "new_name": "stolen", "category": "mine" })).unwrap();
    let patch = || serde_json::from_value(json!({ "description": "changed" })).unwrap();
    let status = || serde_json::from_value(json!({ "status": "published" })).unwrap();
    let refine = || serde_json::from_value(json!({ "refinement_instructions": "x", "llm_service": "rules" })).unwrap();
    let relate =
        || serde_json::from_value(json!({ "target_prompt_id": id, "relationship_type": "references" })).unwrap();
    let usage = || serde_json::from_value(json!({ "prompt_id": id, "version": 1 })).unwrap();
    let series = || analytics::SeriesRequest {
        start: None,
        end: None,
        granularity: analytics::Granularity::Day,
        group_by: None,
        utc_offset_minutes: 0,
        prompt_id: Some(id),
    };
    let of_it = || RefinementFilter { prompt_id: Some(id), ..RefinementFilter::default() };
    let filter = || relationships::RelationshipFilter {
        direction: relationships::Direction::default(),
        relationship_type: None,
        min_strength: None,
        limit: 10,
    };
    let other = PromptId::generate(test.now());
    vec![
        ("get", told(prompts::get(app, caller, id, newest, Show::PROMPT).await)),
        ("get a version", told(prompts::get(app, caller, id, &Selector::Version(1), Show::PROMPT).await)),
        (
            "get a version that is not there",
            told(prompts::get(app, caller, id, &Selector::Version(9), Show::PROMPT).await),
        ),
        ("versions", told(prompts::versions(app, caller, id, &page).await)),
        ("version", told(prompts::version(app, caller, id, 1).await)),
        ("diff", told(prompts::diff(app, caller, id, None, None).await)),
        ("labels", told(prompts::labels(app, caller, id, &page).await)),
        ("label history", told(prompts::label_history(app, caller, id, &page).await)),
        ("lifecycle history", told(lifecycle::history(app, caller, id, &page).await)),
        ("refinement history", told(refinement::list(app, caller, of_it(), &page).await)),
        ("refinement compare", told(refinement::compare(app, caller, id, None, None).await)),
        ("suggestions", told(suggestions::get(app, caller, id, newest).await)),
        ("advice", told(advice::of_use(app, caller, id, newest).await)),
        ("drift", told(drift::get(app, caller, id, None, None).await)),
        ("analytics", told(analytics::of_prompt(app, caller, id, 7).await)),
        ("usage", told(analytics::series(app, caller, &series()).await)),
        ("related", told(relationships::related(app, caller, id, 10).await)),
        ("relationships", told(relationships::list(app, caller, id, &filter()).await)),
        ("graph", told(relationships::graph(app, caller, id, 1).await)),
        ("used by", told(relationships::used_by(app, caller, id, 10).await)),
        ("report", told(analytics::record(app, caller, vec![usage()], true).await)),
        ("pin", told(drift::pin_baseline(app, caller, id, 1, (None, None)).await)),
        ("unpin", told(drift::unpin_baseline(app, caller, id).await)),
        ("fork", told(prompts::fork(app, caller, id, fork()).await)),
        ("rollback", told(prompts::rollback(app, caller, id, 1, anyway, None).await)),
        ("set label", told(prompts::set_label(app, caller, id, "staging", anyway, (1, None)).await)),
        ("delete label", told(prompts::delete_label(app, caller, id, "staging", anyway).await)),
        ("suppress", told(suggestions::suppress(app, caller, id, "C08", anyway, "because".to_owned()).await)),
        ("lifecycle", told(lifecycle::change(app, caller, id, anyway, status()).await)),
        ("refine", told(refinement::start(app, caller, id, refine()).await)),
        ("relate", told(relationships::create(app, caller, other, relate()).await)),
        ("update", told(prompts::update(app, caller, id, anyway, patch()).await)),
        ("delete", told(prompts::delete(app, caller, id, anyway).await)),
        ("restore", told(prompts::restore(app, caller, id, anyway).await)),
    ]
}

#[tokio::test]
async fn the_domain_tells_nothing_of_a_prompt_out_of_reach_and_changes_none() {
    let test = TestApp::api().await;
    let made = test.prompt("secret", "q", "TOPSECRET").await;
    let id: PromptId = made["id"].as_str().unwrap().parse().unwrap();
    let unknown = PromptId::generate(test.now());
    let caller = narrow();
    let writes = "SELECT count(*) FROM audit_log";
    let before = test.count(writes).await;
    let (out_of_reach, not_there) = (calls(&test, &caller, id).await, calls(&test, &caller, unknown).await);
    for ((call, refused), (_, unknown_is)) in out_of_reach.into_iter().zip(not_there) {
        let (refused, unknown_is) = (refused.expect_err(call), unknown_is.expect_err(call));
        let told = refused.to_string().replace(&id.to_string(), "it");
        assert_eq!(
            told,
            unknown_is.to_string().replace(&unknown.to_string(), "it"),
            "{call}: it is told that it is there"
        );
        let is_hidden = matches!(refused.code(), "not-found" | "forbidden" | "validation-failed" | "unknown-version");
        assert!(is_hidden && !told.contains("secret"), "{call}: {} {told}", refused.code());
    }
    // One that was deleted is out of reach as well.
    test.delete(&format!("/api/v1/prompts/{id}")).await.expect(204);
    let deleted = prompts::restore(&test.app, &caller, id, &Precondition::None).await.unwrap_err();
    assert_eq!(deleted.code(), "not-found");
    assert_eq!(test.count(writes).await, before + 1, "it was deleted, and nothing else was written");
}

/// What tells of prompts: whoever has the id of one must say who asks, so that the domain can say whether they may.
const ABOUT_PROMPTS: [&str; 5] = ["PromptId", "RefinementId", "DocumentId", "RelationshipId", "AbTestId"];

/// Functions that are asked by those who know already that they may, with why.
const ASKED_BY_THE_PROGRAM: [(&str, &str); 5] = [
    ("kept", "what is kept is kept for everybody; the read by name has asked"),
    ("names_of", "the order of a warm-up, which a key for some folders cannot give"),
    ("performance_of", "of a prompt that the caller has been shown"),
    ("behind", "what is kept for everybody of a prompt that is read by name"),
    ("count_values", "of a prompt that has been filled"),
];

#[test]
fn whoever_asks_about_a_prompt_says_who_asks() {
    let (mut found, mut asked) = (Vec::new(), 0);
    for source in crate::sources::sources("shared/src") {
        for item in source.items() {
            let syn::Item::Fn(function) = item else { continue };
            let span = function.sig.span();
            let (first, last) = (span.start().line - 1, span.end().line);
            let inputs: String = source.text.lines().skip(first).take(last - first).collect();
            let is_public = matches!(function.vis, syn::Visibility::Public(_));
            let is_asked = inputs.contains("&App") && ABOUT_PROMPTS.iter().any(|id| inputs.contains(id));
            if !is_public || !is_asked {
                continue;
            }
            asked += 1;
            let name = function.sig.ident.to_string();
            if !inputs.contains("Caller") && !ASKED_BY_THE_PROGRAM.iter().any(|(known, _)| *known == name) {
                found.push(format!("{}: `{name}`", source.path));
            }
        }
    }
    assert!(found.is_empty(), "functions about a prompt that do not know who asks:\n{}", found.join("\n"));
    assert!(asked >= 40, "{asked}");
}
