//! Lists, the graph, what is related and what uses a prompt.
use serde_json::json;
use support::TestApp;

use super::{each, prompt, relate};

#[tokio::test]
async fn a_list_has_both_directions_the_strongest_first_and_filters() {
    let test = TestApp::api().await;
    let (a, b, c) = (prompt(&test, "a").await, prompt(&test, "b").await, prompt(&test, "c").await);
    relate(&test, &a, "similar", &b, 0.2).await.expect(201);
    relate(&test, &a, "extends", &c, 0.9).await.expect(201);
    relate(&test, &b, "references", &a, 0.5).await.expect(201);
    let list = async |query: &str| test.get(&format!("/api/v1/prompts/{a}/relationships{query}")).await.expect(200);

    let all = list("").await;
    assert_eq!((&all["prompt_id"], &all["total_relationships"]), (&json!(a), &json!(3)));
    assert_eq!(each(&all["outgoing_relationships"], "name"), ["c", "b"]);
    assert_eq!(each(&all["incoming_relationships"], "source_prompt_id"), std::slice::from_ref(&b));
    assert_eq!(all["incoming_relationships"][0]["lifecycle_status"], "draft");
    let outgoing = list("?direction=outgoing").await;
    assert_eq!(
        (each(&outgoing["incoming_relationships"], "id").len(), &outgoing["total_relationships"]),
        (0, &json!(2))
    );
    assert_eq!(each(&list("?direction=incoming").await["outgoing_relationships"], "id").len(), 0);
    assert_eq!(list("?type=similar").await["total_relationships"], 1);
    assert_eq!(list("?min_strength=0.5").await["total_relationships"], 2);
    let first = list("?limit=1").await;
    assert_eq!(
        (each(&first["outgoing_relationships"], "name"), &first["total_relationships"]),
        (vec!["c".to_owned()], &json!(3))
    );
    test.delete(&format!("/api/v1/prompts/{c}")).await;
    assert_eq!(list("").await["total_relationships"], 2, "a deleted prompt is not shown");

    for query in ["?direction=up", "?type=friend", "?min_strength=2", "?limit=0", "?limit=1001", "?limit=x"] {
        assert_eq!(test.get(&format!("/api/v1/prompts/{a}/relationships{query}")).await.status, 422, "{query}");
    }
    let unknown = "/api/v1/prompts/prm_01J9Z3N5T8QWERTYASDFGHZXCV";
    for view in ["relationships", "relationships/graph", "related", "used-by"] {
        assert_eq!(test.get(&format!("{unknown}/{view}")).await.code(404), "not-found", "{view}");
    }
}

#[tokio::test]
async fn a_graph_goes_as_far_as_asked_in_both_directions_and_shows_each_edge_once() {
    let test = TestApp::api().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        ids.push(prompt(&test, name).await);
    }
    // a -> b -> c -> d -> e -> f, c -> a, and g stands alone.
    for n in 0..5 {
        relate(&test, &ids[n], "references", &ids[n + 1], 1.0).await.expect(201);
    }
    relate(&test, &ids[2], "similar", &ids[0], 0.5).await.expect(201);
    let graph = async |depth: i64| {
        test.get(&format!("/api/v1/prompts/{}/relationships/graph?depth={depth}", ids[1])).await.expect(200)
    };

    let near = graph(1).await;
    assert_eq!(each(&near["nodes"], "name"), ["b", "a", "c"]);
    assert_eq!(each(&near["nodes"], "depth"), ["0", "1", "1"]);
    assert_eq!(near["edges"].as_array().unwrap().len(), 3, "those among its neighbours too: {near}");
    let far = graph(4).await;
    assert_eq!(each(&far["nodes"], "name"), ["b", "a", "c", "d", "e", "f"]);
    assert_eq!((far["edges"].as_array().unwrap().len(), &far["truncated"]), (6, &json!(false)));
    let edge = far["edges"].as_array().unwrap().iter().find(|edge| edge["type"] == "similar").unwrap();
    assert_eq!(edge, &json!({ "source": ids[2], "target": ids[0], "type": "similar", "strength": 0.5 }));

    test.delete(&format!("/api/v1/prompts/{}", ids[3])).await;
    assert_eq!(each(&graph(5).await["nodes"], "name"), ["b", "a", "c"], "no way leads through a deleted prompt");
    for depth in ["0", "6", "x", "-1"] {
        let path = format!("/api/v1/prompts/{}/relationships/graph?depth={depth}", ids[1]);
        assert_eq!(test.get(&path).await.status, 422, "{depth}");
    }
}

#[tokio::test]
async fn related_prompts_stand_once_by_their_strongest_tie() {
    let test = TestApp::api().await;
    let (a, b, c) = (prompt(&test, "a").await, prompt(&test, "b").await, prompt(&test, "c").await);
    relate(&test, &a, "similar", &b, 0.3).await.expect(201);
    relate(&test, &b, "extends", &a, 0.8).await.expect(201);
    relate(&test, &c, "complements", &a, 0.5).await.expect(201);

    let related = test.get(&format!("/api/v1/prompts/{a}/related")).await.expect(200);

    assert_eq!((each(&related["items"], "name"), &related["total"]), (vec!["b".to_owned(), "c".to_owned()], &json!(2)));
    assert_eq!(
        (&related["items"][0]["strength"], &related["items"][0]["relationship_types"]),
        (&json!(0.8), &json!(["extends", "similar"]))
    );
    let closest = test.get(&format!("/api/v1/prompts/{a}/related?limit=1")).await.expect(200);
    assert_eq!((each(&closest["items"], "name"), &closest["total"]), (vec!["b".to_owned()], &json!(2)));
}

#[tokio::test]
async fn what_uses_a_prompt_is_what_would_break() {
    let test = TestApp::api().await;
    let base = prompt(&test, "base").await;
    for (name, kind) in [("x", "extends"), ("y", "depends_on"), ("z", "references"), ("s", "similar")] {
        let id = prompt(&test, name).await;
        relate(&test, &id, kind, &base, 0.5).await.expect(201);
        relate(&test, &base, "references", &id, 0.5).await.expect(201);
    }

    let used = test.get(&format!("/api/v1/prompts/{base}/used-by")).await.expect(200);

    assert_eq!(
        (each(&used["items"], "name"), &used["total"]),
        (vec!["x".to_owned(), "y".to_owned(), "z".to_owned()], &json!(3))
    );
    assert_eq!(each(&used["items"], "relationship_type"), ["extends", "depends_on", "references"]);
}
