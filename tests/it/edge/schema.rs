//! The published contract as tests read it: its routes, every place in a body, and bodies that go as far as they can.
use axum::http::Method;
use serde_json::{Map, Value, json};

/// How deep bodies are looked into.
const DEPTH_MAX: usize = 8;
/// What the contract does not call required, and a request that is to get far must have.
const NEEDED: [(&str, &[&str]); 9] = [
    ("NewPrompt", &["content"]),
    ("NewAbTest", &["prompt_a_id", "prompt_b_id"]),
    ("ContentPatch", &["content"]),
    ("BulkTags", &["prompt_ids", "tags_to_add"]),
    ("SearchRequest", &["query"]),
    ("DocumentSearch", &["query"]),
    ("LintRequest", &["content"]),
    ("RenderRequest", &["content"]),
    ("BulkUpdate", &["prompts"]),
];

/// A route of the contract.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: String,
    /// The names of its parameters in the query, with their schemas.
    pub(super) query: Vec<(String, Value)>,
    /// What it takes as JSON.
    pub(super) body: Option<Value>,
}

impl Route {
    pub(super) fn is_write(&self) -> bool {
        self.method != Method::GET
    }
}

/// A step on the way to a place in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a field.
    Field(String),
    /// Into the first of a list.
    Item,
    /// Into the value of an object whose keys are free.
    Entry,
    /// To such a key itself.
    Key,
}

/// A place in a body, and what the contract says of it.
pub(super) type Place = (Vec<Step>, Value);

/// The contract.
pub(super) struct Contract(Value);

impl Contract {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(&api::document()).unwrap())
    }

    pub(super) fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        for (path, operations) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let body = operation["requestBody"]["content"]["application/json"].get("schema").cloned();
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let query = parameters
                    .filter(|parameter| parameter["in"] == "query")
                    .map(|parameter| (parameter["name"].as_str().unwrap().to_owned(), parameter["schema"].clone()));
                routes.push(Route {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    query: query.collect(),
                    body,
                });
            }
        }
        routes
    }

    /// What a schema comes to: references followed, `null` left out.
    fn alternatives(&self, schema: &Value) -> Vec<Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            let mut found = self.0["components"]["schemas"][name].clone();
            if let Some(object) = found.as_object_mut() {
                object.insert("x-name".to_owned(), json!(name));
            }
            return self.alternatives(&found);
        }
        let several = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
        match several {
            Some(several) => several.iter().flat_map(|one| self.alternatives(one)).collect(),
            None if schema["type"] == "null" => Vec::new(),
            None => vec![schema.clone()],
        }
    }

    /// Every place in a body of this schema.
    pub(super) fn places(&self, schema: &Value) -> Vec<Place> {
        let mut places = Vec::new();
        self.walk(schema, &mut Vec::new(), &mut places);
        places
    }

    fn walk(&self, schema: &Value, at: &mut Vec<Step>, places: &mut Vec<Place>) {
        if at.len() > DEPTH_MAX {
            return;
        }
        let mut into = |step: Step, schema: &Value, at: &mut Vec<Step>| {
            at.push(step);
            places.push((at.clone(), schema.clone()));
            if !matches!(at.last(), Some(Step::Key)) {
                self.walk(schema, at, places);
            }
            at.pop();
        };
        for one in self.alternatives(schema) {
            for (name, field) in one["properties"].as_object().into_iter().flatten() {
                into(Step::Field(name.clone()), field, at);
            }
            if one["items"].is_object() {
                into(Step::Item, &one["items"], at);
            }
            if is_free(&one) {
                let text = json!({ "type": "string" });
                into(Step::Key, &text, at);
                let entry = one.get("additionalProperties").filter(|entry| entry.is_object());
                into(Step::Entry, entry.unwrap_or(&text), at);
            }
        }
    }

    /// May a text stand there?
    pub(super) fn takes_text(&self, schema: &Value) -> bool {
        let is_text = |one: &Value| has_type(one, "string") || one.get("type").is_none();
        self.alternatives(schema).iter().any(is_text)
    }

    /// A body with what is needed, and `value` at the place.
    pub(super) fn body(
        &self,
        schema: &Value,
        place: &[Step],
        value: &Value,
        hint: &dyn Fn(&str) -> Option<Value>,
    ) -> Value {
        self.build(schema, "", Some(place), value, hint)
    }

    /// A body with what is needed.
    pub(super) fn plain(&self, schema: &Value, hint: &dyn Fn(&str) -> Option<Value>) -> Value {
        self.build(schema, "", None, &Value::Null, hint)
    }

    fn build(
        &self,
        schema: &Value,
        name: &str,
        place: Option<&[Step]>,
        value: &Value,
        hint: &dyn Fn(&str) -> Option<Value>,
    ) -> Value {
        if place.is_some_and(<[Step]>::is_empty) {
            return value.clone();
        }
        let step = place.and_then(|place| place.first());
        let all = self.alternatives(schema);
        let Some(one) = all.iter().find(|one| fits(one, step)).or(all.first()) else { return Value::Null };
        if step.is_none()
            && let Some(known) = hint(name)
        {
            return known;
        }
        let rest = |step: &Step| place.filter(|place| place.first() == Some(step)).map(|place| &place[1..]);
        if let Some(fields) = one["properties"].as_object() {
            let mut object = Map::new();
            for (field, schema) in fields.iter().filter(|(field, _)| is_needed(one, field, step)) {
                let rest = rest(&Step::Field(field.clone()));
                object.insert(field.clone(), self.build(schema, field, rest, value, hint));
            }
            return Value::Object(object);
        }
        if one["items"].is_object() {
            return json!([self.build(&one["items"], name, rest(&Step::Item), value, hint)]);
        }
        match step {
            Some(Step::Key) => json!({ value.as_str().unwrap_or("x"): "x" }),
            Some(Step::Entry) => {
                let entry = one.get("additionalProperties").filter(|entry| entry.is_object());
                let text = json!({ "type": "string" });
                json!({ "x": self.build(entry.unwrap_or(&text), "x", rest(&Step::Entry), value, hint) })
            }
            _ => plausible(one),
        }
    }
}

/// Are its keys free?
fn is_free(schema: &Value) -> bool {
    has_type(schema, "object") && !schema["properties"].is_object()
}

fn has_type(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind))
}

fn fits(schema: &Value, step: Option<&Step>) -> bool {
    match step {
        Some(Step::Field(field)) => schema["properties"].get(field).is_some(),
        Some(Step::Item) => schema["items"].is_object(),
        Some(Step::Entry | Step::Key) => is_free(schema),
        None => true,
    }
}

fn is_needed(schema: &Value, field: &str, step: Option<&Step>) -> bool {
    let on_the_way = step == Some(&Step::Field(field.to_owned()));
    let takes_its_place = field == "content" && step == Some(&Step::Field("messages".to_owned()));
    let required = schema["required"].as_array().is_some_and(|required| required.iter().any(|it| it == field));
    let needed = NEEDED.iter().any(|(name, fields)| schema["x-name"] == *name && fields.contains(&field));
    on_the_way || required || (needed && !takes_its_place)
}

/// Something that the schema allows.
fn plausible(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|words| words.first()) {
        return first.clone();
    }
    if let Some(example) = schema["examples"].as_array().and_then(|examples| examples.first()) {
        return example.clone();
    }
    match () {
        () if schema["format"] == "date-time" => json!("2026-01-02T00:00:00Z"),
        () if has_type(schema, "boolean") => json!(false),
        () if has_type(schema, "integer") => json!(1),
        () if has_type(schema, "number") => json!(0.5),
        () if has_type(schema, "object") => json!({}),
        () => json!("x"),
    }
}

#[test]
fn every_route_and_every_place_is_seen() {
    let contract = Contract::read();
    let routes = contract.routes();
    let new_prompt = routes.iter().find(|route| route.path == "/api/v1/prompts" && route.is_write()).unwrap();
    let places: Vec<Vec<Step>> =
        contract.places(new_prompt.body.as_ref().unwrap()).into_iter().map(|(steps, _)| steps).collect();
    let field = |name: &str| Step::Field(name.to_owned());
    for place in [
        vec![field("name")],
        vec![field("tags"), Step::Item],
        vec![field("messages"), Step::Item, field("content")],
        vec![field("config"), Step::Key],
        vec![field("input_schema"), Step::Entry, field("description")],
    ] {
        assert!(places.contains(&place), "{place:?} is not among {places:?}");
    }
    let body = contract.body(new_prompt.body.as_ref().unwrap(), &[field("tags"), Step::Item], &json!("t"), &|_| None);
    assert_eq!(body, json!({ "category": "x", "content": "x", "name": "x", "tags": ["t"] }));
    assert!(routes.len() > 100, "{}", routes.len());
}
