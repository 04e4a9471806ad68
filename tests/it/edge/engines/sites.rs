//! What is asked: every place of the contract where a text may stand, with one hostile text after the other.
use axum::http::Method;
use serde_json::{Value, json};

use super::ids::Ids;
use crate::edge::schema::{Contract, Route, Step};

/// Half of a surrogate pair, which only the text of a body can say.
const LONE: &str = "half of a surrogate pair";
/// Of requests that have nothing hostile about them, so that there is always something to be hostile to.
const PLAIN_EACH: usize = 6;

/// A request, with names in the place of ids.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

/// A place where a text may stand.
enum Site {
    /// In a body of JSON.
    Body(usize, Vec<Step>),
    /// In a line of an import, as in the body of a new prompt.
    Line(Vec<Step>),
    /// In a collection of the first version.
    Collection,
    /// A parameter of the path.
    Path(usize, &'static str),
    /// A parameter of the query.
    Query(usize, String),
}

pub(super) struct Sites {
    routes: Vec<Route>,
    order: Vec<Site>,
    new_prompt: Value,
    chance: u64,
}

/// Texts that somebody, somewhere, cannot keep, compare, cut, quote or print.
pub(super) fn texts() -> Vec<String> {
    // One that no compression makes short: an index has room for little.
    let mut state = 7_u32;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from(state >> 24).unwrap() % 26)
    })
    .take(9000)
    .collect();
    let mut texts: Vec<String> = [
        "\0",
        "a\0b",
        "\u{1}\u{1b}[31mred",
        "\r\n",
        "\u{7f}\u{85}",
        "\u{202e}abc",
        "a\u{200b}b",
        "\u{feff}",
        "\u{fffd}\u{ffff}",
        "e\u{301}",
        "\u{301}",
        "Ａｂｃ",
        "ß ﬁ ǅ",
        "𝕏🚀👩‍👩‍👧",
        "\u{10ffff}",
        "日本語テスト",
        "'",
        "\"",
        "'; DROP TABLE prompts; --",
        "%",
        "100%_\\",
        "\\",
        "a\\",
        "\\u0000",
        "{{",
        "{{x}}{%",
        "..",
        "/",
        "a//b",
        "*",
        "a/*",
        "",
        " ",
        "null",
        "-1",
        "1e999",
        "$1",
        "?",
        LONE,
        "prm_01J9Z3N5T8QWERTYASDFGHZXCV",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend([noise.clone(), noise[..300].to_owned(), "é".repeat(256), "🚀".repeat(5000), "{".repeat(600)]);
    texts
}

impl Sites {
    pub(super) fn of(contract: &Contract, seed: u64) -> Self {
        // A delivery would leave this machine, and a stream does not end.
        let left_out = ["/webhooks/{id}/test", "/events", "/health", "/metrics", "/select"];
        let is_asked = |route: &Route| !left_out.iter().any(|part| route.path.contains(part));
        let routes: Vec<Route> = contract.routes().into_iter().filter(is_asked).collect();
        let new_prompt =
            routes.iter().find(|it| it.path == "/api/v1/prompts" && it.is_write()).unwrap().body.clone().unwrap();
        let mut sites = vec![Site::Collection];
        for (index, route) in routes.iter().enumerate() {
            let places = route.body.iter().flat_map(|schema| contract.places(schema));
            let places = places.filter(|(_, schema)| contract.takes_text(schema));
            sites.extend(places.map(|(place, _)| Site::Body(index, place)));
            let parts = ["{category}", "{name}", "{label}", "{rule}", "{version}"];
            sites
                .extend(parts.into_iter().filter(|part| route.path.contains(part)).map(|part| Site::Path(index, part)));
            sites.extend(route.query.iter().map(|(name, _)| Site::Query(index, name.clone())));
        }
        sites.extend(contract.places(&new_prompt).into_iter().map(|(place, _)| Site::Line(place)));
        let mut made = Self { routes, order: sites, new_prompt, chance: seed.wrapping_mul(2).wrapping_add(1) };
        for last in (1..made.order.len()).rev() {
            let other = made.below(last + 1);
            made.order.swap(last, other);
        }
        made
    }

    /// How many routes and places there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.routes.len(), self.order.len())
    }

    /// PCG's multiplier, and its upper bits.
    fn below(&mut self, bound: usize) -> usize {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.chance >> 33).unwrap() % bound
    }

    pub(super) fn next(&mut self, contract: &Contract, number: usize, ids: &Ids) -> Asked {
        let all = texts();
        let (chosen, shift) = (self.below(all.len()), self.below(64));
        let text = &all[chosen];
        let hint = |name: &str| hint(name, number, ids, shift);
        if number.is_multiple_of(PLAIN_EACH) {
            return json_of(Method::POST, "/api/v1/prompts".to_owned(), &contract.plain(&self.new_prompt, &hint));
        }
        match &self.order[number % self.order.len()] {
            Site::Body(index, place) => {
                let route = &self.routes[*index];
                let body = contract.body(route.body.as_ref().unwrap(), place, &json!(text), &hint);
                json_of(route.method.clone(), path_of(route, None, number, ids, shift), &body)
            }
            Site::Line(place) => {
                let body = contract.body(&self.new_prompt, place, &json!(text), &hint);
                let path = "/api/v1/bulk/import".to_owned();
                Asked { kind: "application/x-ndjson", ..json_of(Method::POST, path, &body) }
            }
            Site::Collection => {
                let body =
                    json!({ text.as_str(): { "n": text, text.as_str(): { "content": "c", "description": text } } });
                Asked { kind: "application/yaml", ..json_of(Method::POST, "/migrate".to_owned(), &body) }
            }
            Site::Path(index, part) => {
                let route = &self.routes[*index];
                let body = route.body.as_ref().map_or(json!({}), |schema| contract.plain(schema, &hint));
                json_of(route.method.clone(), path_of(route, Some((*part, text.as_str())), number, ids, shift), &body)
            }
            Site::Query(index, name) => {
                let route = &self.routes[*index];
                let path = format!("{}?{name}={}", path_of(route, None, number, ids, shift), encoded(text));
                Asked { method: route.method.clone(), path, kind: "application/x-ndjson", body: String::new() }
            }
        }
    }
}

fn json_of(method: Method, path: String, body: &Value) -> Asked {
    // An address has its own limit, which comes first.
    let body = if method == Method::GET { String::new() } else { body.to_string().replace(LONE, "\\ud800") };
    Asked { method, path, kind: "application/json", body }
}

fn encoded(text: &str) -> String {
    let text: String = text.chars().take(600).collect();
    let utf8 = text.replace(LONE, "\u{fffd}");
    utf8.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A path, with what is there in its parameters, or the text in one of them.
fn path_of(route: &Route, hostile: Option<(&str, &str)>, number: usize, ids: &Ids, shift: usize) -> String {
    let kind = ["webhooks", "keys", "ab-tests", "relationships", "operations", "jobs", "sessions", "documents"];
    let prefix = ["whk", "key", "abt", "rel", "op", "job", "ref", "doc"];
    let prefix = kind.iter().position(|kind| route.path.contains(&format!("/{kind}/"))).map_or("prm", |at| prefix[at]);
    let nobody = "prm_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned();
    let segment = |segment: &str| match segment {
        segment if hostile.is_some_and(|(part, _)| part == segment) => encoded(hostile.unwrap().1),
        "{category}" => format!("c{}", number % 3),
        "{name}" => format!("n{}", number - number % PLAIN_EACH),
        "{label}" => ["production", "staging"][number % 2].to_owned(),
        "{rule}" => "C08".to_owned(),
        "{version}" => "1".to_owned(),
        "{session}" => ids.recent("ref", shift).unwrap_or_else(|| nobody.clone()),
        "{delivery_id}" => ids.recent("dlv", shift).unwrap_or_else(|| nobody.clone()),
        segment if segment.starts_with('{') => ids.recent(prefix, shift).unwrap_or_else(|| nobody.clone()),
        segment => segment.to_owned(),
    };
    route.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What a field is best filled with to get far.
fn hint(name: &str, number: usize, ids: &Ids, shift: usize) -> Option<Value> {
    let prompt = |more: usize| ids.recent("prm", shift + more).map(Value::from);
    Some(match name {
        "prompt_id" | "prompt_a_id" | "successor_id" => prompt(0)?,
        "prompt_b_id" | "target_prompt_id" => prompt(1)?,
        "prompt_ids" => json!([prompt(0)?]),
        "category" => json!(format!("c{}", number % 3)),
        "name" | "new_name" => json!(format!("n{number}")),
        "content" => json!("Hello {{x}}, this is long enough."),
        "query" => json!("hello"),
        "url" => json!("https://receiver.invalid/hook"),
        "events" => json!(["webhook.disabled"]),
        "scopes" => json!(["prompts:read"]),
        "llm_service" => json!("rules"),
        "behind" | "parent_session_id" => Value::Null,
        "metric" => json!("response_quality"),
        "tags" | "tags_to_add" => json!(["t"]),
        "status" => json!(["published", "deprecated", "archived"][number % 3]),
        _ => return None,
    })
}
