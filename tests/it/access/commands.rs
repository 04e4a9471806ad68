//! Keys by the command line, and a store that is closed from its first start.
use support::Processes;

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_an_administrators_key_may_be_reached_by_others() {
    let store = Processes::embedded().with("PROMPT_STORE_ENV", "production");
    let (code, _, said) = store.run("prompt-store", &[]);
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("prompt-store keys create"), "it tells how: {said}");

    let (code, key, said) = store.run("prompt-store", &["keys", "create", "--name", "me", "--scope", "admin"]);
    assert_eq!(code, 0, "{said}");
    let mut api = store.start_api().await;
    assert_eq!(store.get("/api/v1/prompts").await.unwrap().0, 401);
    let list = store.client().get(store.url("/api/v1/keys")).bearer_auth(key.trim()).send().await.unwrap();
    assert_eq!(list.status(), 200);
    assert!(api.terminate().success());

    let (code, list, said) = store.run("prompt-store", &["keys", "list"]);
    assert_eq!(code, 0, "{said}");
    assert!(list.contains("\tme\tadmin\tno end\t") && !list.contains(key.trim()), "{list}");
    let id = list.split('\t').next().unwrap();
    assert_eq!(store.run("prompt-store", &["keys", "revoke", id]).0, 0);
    assert_eq!(store.run("prompt-store", &["keys", "revoke", id]).0, 1);
    assert_eq!(store.run("prompt-store", &[]).0, 78, "nobody could manage it any more");
}
