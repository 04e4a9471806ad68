//! A store knows which secret it belongs to, and is served with no other, unless somebody says that its own is lost.
use std::path::PathBuf;

use serde_json::json;
use support::{Engine, Process, Processes, engine, until};

use super::start::refuses;

const OTHER: &str = "another secret of more than 32 bytes, of another store";

/// The file of the secret; a store on a server is given a variable instead.
fn key(store: &Processes) -> Option<PathBuf> {
    (engine() == Engine::Sqlite).then(|| store.folder().join("store.key"))
}

/// Takes away what the store was served with.
fn lose(store: Processes) -> Processes {
    match key(&store) {
        Some(key) => {
            std::fs::rename(&key, key.with_added_extension("kept")).unwrap();
            store
        }
        None => store.with("PROMPT_STORE_SECRET_KEY", OTHER),
    }
}

/// Has a key of the API and a webhook made, and answers the key.
async fn use_secret(store: &Processes) -> String {
    let _api = store.start_api().await;
    let hook = json!({ "name": "h", "url": "https://example.com/hook", "events": ["*"] });
    assert_eq!(store.post("/api/v1/webhooks", &hook).await.unwrap().0, 201);
    let new = json!({ "name": "k", "scopes": ["admin"] });
    let (status, key) = store.post("/api/v1/keys", &new).await.unwrap();
    assert_eq!(status, 201, "{key}");
    key["text"].as_str().unwrap().to_owned()
}

/// The status that a request with this key is answered with.
async fn asked_with(store: &Processes, key: &str) -> u16 {
    store.client().get(store.url("/api/v1/keys")).bearer_auth(key).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_not_served_without_its_secret_and_nobody_makes_another() {
    let store = Processes::embedded();
    let text = use_secret(&store).await;
    let store = lose(store);

    let is = if key(&store).is_some() { "missing" } else { "not the one of the store" };
    let words = [is, "no API key works", "no secret of a webhook", "keys adopt-secret"];
    refuses(&mut store.command("prompt-store", &[]), 78, &words);
    refuses(&mut store.command("prompt-store", &["keys", "create", "--name", "x", "--scope", "bulk"]), 78, &words);
    let (code, found, _) = store.run("prompt-store", &["doctor"]);
    let line = found.lines().find(|line| line.contains("secret: ")).unwrap_or_else(|| panic!("{found}"));
    assert!(code == 1 && line.starts_with("WRONG") && line.contains(is), "{found}");
    // What needs no secret goes on, and says so.
    for (args, printed) in [(["keys", "list"].as_slice(), "never used"), (&["export"], ""), (&["check"], "0 faults")] {
        let (code, out, said) = store.run("prompt-store", args);
        assert!(code == 0 && said.contains(is) && out.contains(printed), "{args:?}: {code} {out} {said}");
    }
    if let Some(key) = key(&store) {
        assert!(!key.exists(), "nobody has made another");
        std::fs::rename(key.with_added_extension("kept"), &key).unwrap();
        let _api = store.start_api().await;
        assert_eq!(asked_with(&store, &text).await, 200, "with its own it is what it was");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_a_secret_is_accepted_by_name_and_what_it_costs_is_said() {
    let store = Processes::embedded();
    let text = use_secret(&store).await;
    let (code, _, said) = store.run("prompt-store", &["keys", "adopt-secret", "--accept-loss"]);
    assert!(code == 0 && said.contains("nothing was changed"), "{said}");
    let store = lose(store);

    let lost = "1 keys of the API, and the secrets of 1 webhooks";
    refuses(&mut store.command("prompt-store", &["keys", "adopt-secret"]), 1, &[lost, "--accept-loss"]);
    assert!(key(&store).is_none_or(|key| !key.exists()));
    let (code, _, said) = store.run("prompt-store", &["keys", "adopt-secret", "--accept-loss"]);
    assert!(code == 0 && said.contains(lost), "{said}");

    let (_, listed, _) = store.run("prompt-store", &["keys", "list"]);
    assert!(listed.contains("taken back"), "{listed}");
    let _api = store.start_api().await;
    assert_eq!(asked_with(&store, &text).await, 401);
    let (_, log) = store.get("/api/v1/audit?action=secret.adopted").await.unwrap();
    assert_eq!(log["total"], 1, "{log}");
    // A webhook that is given a new secret is sent things again.
    let (_, hooks) = store.get("/api/v1/webhooks").await.unwrap();
    let path = format!("/api/v1/webhooks/{}/rotate-secret", hooks["items"][0]["id"].as_str().unwrap());
    assert_eq!(store.post(&path, &json!({})).await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_with_different_secrets_the_second_is_refused() {
    let store = Processes::embedded();
    let _first = store.start_api().await;
    for name in ["prompt-store", "prompt-store-worker"] {
        let mut second = store.command(name, &[]);
        second.env("PROMPT_STORE_SECRET_KEY", OTHER).env("PROMPT_STORE_PORT", store.another_port().to_string());
        if name == "prompt-store-worker" {
            second.env("REDIS_URL", support::RedisServer::shared().url());
        }
        let said = refuses(&mut second, 78, &["not the one of the store", "fingerprint"]);
        assert!(!said.contains(OTHER), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_stops_when_its_store_goes_on_with_another_secret() {
    let store = Processes::embedded();
    let mut api = store.start_api().await;
    let mut adopting = store.command("prompt-store", &["keys", "adopt-secret", "--accept-loss"]);
    let (code, _, said) = Processes::finish(adopting.env("PROMPT_STORE_SECRET_KEY", OTHER));
    assert_eq!(code, 0, "{said}");
    assert_eq!(api.wait().code(), Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_before_learns_its_secret_at_the_first_start_if_it_fits() {
    let store = Processes::embedded();
    let text = use_secret(&store).await;
    let forget = async || {
        let app = support::open_for_bench(&store.location()).await;
        let mut tx = app.begin(&support::caller()).await.unwrap();
        tx.execute("DELETE FROM store_secret", &[]).await.unwrap();
        tx.commit().await.unwrap();
        app.db.close().await;
    };
    forget().await;
    let mut other = store.command("prompt-store", &[]);
    refuses(other.env("PROMPT_STORE_SECRET_KEY", OTHER), 78, &["not the one of the store"]);
    if let Some(key) = key(&store) {
        let kept = key.with_added_extension("kept");
        std::fs::rename(&key, &kept).unwrap();
        refuses(&mut store.command("prompt-store", &[]), 78, &["missing"]);
        std::fs::rename(&kept, &key).unwrap();
    }
    let api: Process = store.start_api().await;
    assert_eq!(asked_with(&store, &text).await, 200);
    drop(api);
    until("it is known", async || (super::count(&store, "SELECT count(*) FROM store_secret").await == 1).then_some(()))
        .await;
}

#[test]
fn what_is_said_of_the_secret_speaks_of_keys_and_webhooks() {
    let store = Processes::embedded();
    assert_eq!(store.run("prompt-store", &["seed"]).0, 0);
    let backup = store.folder().join("store.backup");
    let (code, _, said) = store.run("prompt-store", &["backup", backup.to_str().unwrap()]);
    assert!(code == 0 && said.contains("no API key works") && said.contains("secret of a webhook"), "{said}");

    let file = store.folder().join("again.db");
    let run = |args: &[&str]| {
        let mut command = store.command("prompt-store", args);
        Processes::finish(command.env("PROMPT_STORE_DB", &file).env("PROMPT_STORE_SECRET_KEY", ""))
    };
    let (code, _, said) = run(&["restore", backup.to_str().unwrap()]);
    assert!(code == 0 && said.contains("again.key") && said.contains("no API key works"), "{said}");
    let (code, _, said) = run(&["doctor"]);
    assert!(code == 1 && !store.folder().join("again.key").exists(), "{said}");
    let copy = store.folder().join("copy.db");
    let (code, _, said) = run(&["copy", "--from", file.to_str().unwrap(), "--to", copy.to_str().unwrap()]);
    assert!(code == 0 && said.contains("again.key") && said.contains("copy.key"), "{said}");
}
