//! Names, categories and tags: how long, and what nobody sees.
use serde_json::{Value, json};
use support::TestApp;

use super::{PROMPTS, at, rows};

async fn refused(test: &TestApp, key: &str, value: Value) -> Vec<(String, String)> {
    let mut body = json!({ "category": "a", "name": "b", "content": "c" });
    body[key] = value;
    test.post(PROMPTS, body).await.violations()
}

#[tokio::test]
async fn row_11_an_empty_name_is_refused() {
    let test = TestApp::api().await;
    // row 11
    for empty in ["", " ", "\t\r\n", "\u{a0}\u{3000}"] {
        for key in ["category", "name"] {
            assert_eq!(
                refused(&test, key, json!(empty)).await,
                [(format!("/{key}"), "required".to_owned())],
                "{empty:?}"
            );
        }
        assert_eq!(refused(&test, "tags", json!(["t", empty])).await, [("/tags/1".to_owned(), "required".to_owned())]);
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn row_12_names_and_tags_have_a_length() {
    let test = TestApp::api().await;
    let tags = |count: usize| json!((0..count).map(|number| number.to_string()).collect::<Vec<_>>());
    // row 12
    for (key, value, pointer, code) in [
        ("name", json!("é".repeat(256)), "/name", "too-long"),
        ("category", json!("x".repeat(256)), "/category", "too-long"),
        ("category", json!("x".repeat(1_000_000)), "/category", "too-long"),
        ("tags", json!(["t", "🚀".repeat(65)]), "/tags/1", "too-long"),
        ("tags", tags(51), "/tags", "too-many"),
        ("description", json!("x".repeat(4097)), "/description", "too-long"),
        ("change_summary", json!("x".repeat(4097)), "/change_summary", "too-long"),
    ] {
        assert_eq!(refused(&test, key, value).await, [(pointer.to_owned(), code.to_owned())]);
    }
    assert_eq!(rows(&test).await, [0; 6]);
    let body = json!({
        "category": "é".repeat(255), "name": "🚀".repeat(255), "content": "c", "tags": tags(50),
        "description": "é".repeat(4096),
    });
    let longest = test.post(PROMPTS, body.clone()).await.expect(201);
    assert_eq!((&longest["name"], &longest["tags"]), (&body["name"], &body["tags"]));
    test.put(&at(&longest), json!({ "tags": ["🚀".repeat(64)] })).await.expect(200);
}

#[tokio::test]
async fn row_13_14_what_nobody_sees_is_refused_in_names() {
    let test = TestApp::api().await;
    let controls = ["\0", "\u{1}", "\u{7f}", "\u{85}", "\u{9f}", "\r\n", "\n", "\t", "\u{1b}[31m"]; // row 13
    let hidden = [
        "\u{202a}",
        "\u{202e}",
        "\u{2066}",
        "\u{2069}",
        "\u{200e}",
        "\u{200f}",
        "\u{61c}", // row 14: direction
        "\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{2060}",
        "\u{feff}",
        "\u{ad}",
        "\u{180e}",
        "\u{e0041}", // row 14: width
        "\u{2028}",
        "\u{2029}",
        "\u{3164}",
        "\u{fff9}",
    ];
    for character in controls.into_iter().chain(hidden) {
        let text = format!("a{character}b");
        for key in ["category", "name"] {
            let expected = [(format!("/{key}"), "invisible-character".to_owned())];
            assert_eq!(refused(&test, key, json!(text)).await, expected, "{text:?}");
        }
        let expected = [("/tags/0".to_owned(), "invisible-character".to_owned())];
        assert_eq!(refused(&test, "tags", json!([text])).await, expected, "{text:?}");
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn the_same_holds_for_a_change_and_for_a_fork() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    let before = rows(&test).await;
    for (name, code) in [("", "required"), ("a\u{202e}b", "invisible-character"), (&"x".repeat(256), "too-long")] {
        for key in ["name", "category"] {
            let violations = test.put(&at(&made), json!({ key: name })).await.violations();
            assert_eq!(violations, [(format!("/{key}"), code.to_owned())]);
        }
        let violations = test.post(&format!("{}/fork", at(&made)), json!({ "new_name": name })).await.violations();
        assert_eq!(violations, [("/new_name".to_owned(), code.to_owned())]);
    }
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn row_13_a_nul_is_refused_in_every_text() {
    let test = TestApp::api().await;
    // row 13
    for key in ["description", "content", "change_summary"] {
        let violations = refused(&test, key, json!("a\u{0}b")).await;
        assert_eq!(violations, [(format!("/{key}"), "nul-character".to_owned())]);
    }
    assert_eq!(rows(&test).await, [0; 6]);
}

#[tokio::test]
async fn a_config_may_hold_any_text() {
    let test = TestApp::api().await;
    let config = json!({ "stop": ["\u{0}", "\u{1b}", "\u{200b}"], "": { "\u{0}": null } });
    let body = json!({ "category": "a", "name": "b", "content": "c", "config": config });
    let made = test.post(PROMPTS, body).await.expect(201);
    assert_eq!(test.get(&at(&made)).await.expect(200)["config"], config);
}

/// Puts a prompt of an earlier version in place: today its names would be refused.
async fn rename_behind(test: &TestApp, made: &Value, category: &str, name: &str) {
    let mut tx = test.app.begin(&support::caller()).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let statement = format!("UPDATE prompts SET category = '{category}', name = '{name}' WHERE id = '{id}'");
    tx.execute(shared::db::AssertSqlSafe(statement), &[]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn row_91_no_name_folder_or_label_is_a_step_in_a_path() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    let before = rows(&test).await;
    let refusal = |key: &str| vec![(key.to_owned(), "dot-segment".to_owned())];
    // row 91
    for dots in [".", "..", " .. "] {
        for key in ["category", "name"] {
            let pointer = format!("/{key}");
            assert_eq!(refused(&test, key, json!(dots)).await, refusal(&pointer), "{dots}");
            assert_eq!(test.put(&at(&made), json!({ key: dots })).await.violations(), refusal(&pointer), "{dots}");
        }
        let violations = test.post(&format!("{}/fork", at(&made)), json!({ "new_name": dots })).await.violations();
        assert_eq!(violations, refusal("/new_name"));
    }
    for category in ["../a", "a/..", "a/./b"] {
        assert_eq!(refused(&test, "category", json!(category)).await, refusal("/category"), "{category}");
    }
    for label in [".", ".."] {
        let violations = test.put(&format!("{}/labels/{label}", at(&made)), json!({ "version": 1 })).await.violations();
        assert_eq!(violations, refusal("/label"));
    }
    assert_eq!(rows(&test).await, before);
    for (category, name) in [("...", ".a"), ("a..b", "a.."), (".git/hooks", "a/..")] {
        test.prompt(category, name, "c").await;
    }
}

#[tokio::test]
async fn row_92_every_folder_has_a_name() {
    let test = TestApp::api().await;
    let made = test.prompt("a", "b", "c").await;
    let before = rows(&test).await;
    let refusal = [("/category".to_owned(), "empty-folder".to_owned())];
    // row 92
    for category in ["/", "/lead", "a/", "a//b", "a/ /b"] {
        assert_eq!(refused(&test, "category", json!(category)).await, refusal, "{category}");
        assert_eq!(test.put(&at(&made), json!({ "category": category })).await.violations(), refusal, "{category}");
    }
    assert_eq!(rows(&test).await, before);
}

#[tokio::test]
async fn a_name_of_an_earlier_version_can_be_read_changed_and_deleted_by_its_id() {
    let test = TestApp::api().await;
    for (category, name) in [("..", "b"), ("a", ".."), ("/lead", "b"), ("a//b", "b")] {
        let made = test.prompt("a", "old", "c").await;
        rename_behind(&test, &made, category, name).await;
        assert_eq!(test.get(&at(&made)).await.expect(200)["category"], category);
        test.put(&format!("{}/content", at(&made)), json!({ "content": "d" })).await.expect(200);
        let told = test.put(&at(&made), json!({ "description": "still here" })).await.expect(200);
        assert_eq!((&told["category"], &told["name"]), (&json!(category), &json!(name)));
        test.put(&at(&made), json!({ "category": "new", "name": format!("n{category}{name}") })).await.expect(200);
        test.delete(&at(&made)).await.expect(204);
    }
    let made = test.prompt("a", "labelled", "c").await;
    test.put(&format!("{}/labels/old", at(&made)), json!({ "version": 1 })).await.expect(200);
    let mut tx = test.app.begin(&support::caller()).await.unwrap();
    tx.execute("UPDATE labels SET label = '..' WHERE label = 'old'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    test.delete(&format!("{}/labels/..", at(&made))).await.expect(204);
}
