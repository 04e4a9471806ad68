//! nginx and `HAProxy` before the API, with the configuration of `deploy/`: what clients rely on comes through.
use std::time::Duration;

use reqwest::{RequestBuilder, Response, header};
use serde_json::{Value, json};
use support::{Neighbour, PATIENCE, Process, Processes};

const ADMIN_KEY: &str = "0123456789abcdef0123456789abcdef";
const MIB: usize = 1024 * 1024;
/// What has not come by then is held back.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A store as others reach it.
struct Site {
    store: Processes,
    proxy: Neighbour,
    api: Process,
}

impl Site {
    async fn behind(proxy: impl Fn(u16) -> Neighbour) -> Self {
        let store = Processes::embedded().with("PROMPT_STORE_ADMIN_KEY", ADMIN_KEY);
        let api = store.start_api().await;
        let proxy = proxy(store.port());
        Self { store, proxy, api }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.store.client().get(self.proxy.url(path)).bearer_auth(ADMIN_KEY)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.store.client().post(self.proxy.url(path)).bearer_auth(ADMIN_KEY)
    }

    async fn sent(&self, request: RequestBuilder) -> Response {
        request.send().await.unwrap_or_else(|error| panic!("{error:?}: {}", self.proxy.log()))
    }

    async fn make(&self, category: &str, name: &str) -> Value {
        let content = "Words that are worth it to be compressed. ".repeat(100);
        let body = json!({ "category": category, "name": name, "content": content });
        let made = self.sent(self.post("/api/v1/prompts").json(&body)).await;
        assert_eq!(made.status(), 201);
        made.json().await.unwrap()
    }
}

async fn names_with_encoded_slashes_are_found(site: Site) {
    site.make("support/eu", "welcome back").await;
    let found = site.sent(site.get("/api/v1/prompts/search/support%2Feu/welcome%20back")).await;
    assert_eq!(found.status(), 200, "{}", site.proxy.log());
}

async fn events_come_at_once(site: Site) {
    let mut events = tokio::time::timeout(AT_ONCE, site.sent(site.get("/api/v1/events"))).await.expect("the head");
    assert_eq!(events.status(), 200);
    assert_eq!(events.headers()[header::CACHE_CONTROL], "no-store");
    site.make("events", "first").await;
    let mut told = String::new();
    while !told.contains("prompt.created") {
        let chunk = tokio::time::timeout(AT_ONCE, events.chunk()).await.expect("an event is held back");
        told.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }
    let items = json!([{ "category": "events", "name": "second", "content": "x" }]);
    let operation: Value = site.sent(site.post("/api/v1/bulk/prompts").json(&items)).await.json().await.unwrap();
    let path = format!("/api/v1/bulk/operations/{}/events", operation["id"].as_str().unwrap());
    let told = tokio::time::timeout(AT_ONCE, site.sent(site.get(&path)).await.text()).await.expect("its end");
    assert!(told.unwrap().contains("event: done"));
}

async fn a_tag_from_a_compressed_answer_is_taken_back(site: Site) {
    let made = site.make("tags", "weak").await;
    let path = format!("/api/v1/prompts/{}", made["id"].as_str().unwrap());
    let read = site.sent(site.get(&path).header(header::ACCEPT_ENCODING, "gzip")).await;
    assert_eq!(read.headers()[header::CONTENT_ENCODING], "gzip", "the proxy compresses");
    let tag = read.headers()[header::ETAG].clone();
    let change = site.store.client().put(site.proxy.url(&path)).bearer_auth(ADMIN_KEY);
    let change = change.header(header::IF_MATCH, &tag).json(&json!({ "description": "changed" }));
    let changed = site.sent(change).await;
    assert_eq!(changed.status(), 200, "{tag:?}: {}", changed.text().await.unwrap());
}

async fn a_large_import_comes_through(site: Site) {
    // Lines that are blank cost the store little, and a proxy as much as others.
    let line = json!({ "category": "large", "name": "last", "content": "x" });
    let body = format!("{}{line}\n", format!("{}\n", " ".repeat(MIB / 2)).repeat(129));
    assert!(body.len() > 64 * MIB);
    let import = site.post("/api/v1/bulk/import").header(header::CONTENT_TYPE, "application/x-ndjson");
    let taken = site.sent(import.timeout(PATIENCE).body(body)).await;
    let status = taken.status();
    let operation: Value = taken.json().await.unwrap();
    assert_eq!((status.as_u16(), &operation["total_items"]), (202, &json!(1)), "{operation}");

    // As a whole, up to what the store itself takes; what is more it refuses in its own words, not in those of the proxy.
    let item = json!({ "category": "large", "name": "whole", "content": "x", "description": "y".repeat(20 * MIB) });
    let refused = site.sent(site.post("/api/v1/bulk/prompts").json(&json!([item]))).await;
    let kind = refused.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert!(refused.status() != 413 && kind.contains("json"), "{} {kind}", refused.status());
}

macro_rules! through_each_proxy {
    ($($name:ident),+ $(,)?) => {
        mod nginx {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Site::behind(|api| super::Neighbour::nginx(api, "")).await).await;
            })+
        }
        mod haproxy {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Site::behind(super::Neighbour::haproxy).await).await;
            })+
        }
    };
}

through_each_proxy!(
    names_with_encoded_slashes_are_found,
    events_come_at_once,
    a_tag_from_a_compressed_answer_is_taken_back,
    a_large_import_comes_through,
);

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_sends_nothing_to_a_process_that_stops() {
    let site = Site::behind(Neighbour::haproxy).await;
    site.api.ask_to_end();
    let answer = async || site.sent(site.get("/api/v1/prompts")).await.status().as_u16();
    // Nobody is left: the proxy says so at once, instead of passing the request on to whoever is gone.
    support::until("the proxy has noticed", async || (answer().await == 503).then_some(())).await;
}
