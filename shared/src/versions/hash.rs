//! What a version is known by: the hash of what it holds, which never changes for what was written once.
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::body::{Body, Message, PromptType};
use crate::templates::InputSchema;

impl Body {
    /// SHA-256 of everything in it, in hex: equal for equal bodies. It is compared with what was written by earlier versions of
    /// this program, so the form that is hashed stays what it is.
    #[must_use]
    pub fn hash(&self) -> String {
        let text = serde_json::to_string(&Hashed::of(self)).expect("a body is plain data");
        Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write;
            write!(hex, "{byte:02x}").expect("a String takes all text");
            hex
        })
    }
}

/// What of a body is hashed: all of it, in this order. The engine is not in it where a version has no mark of one.
#[derive(Serialize)]
struct Hashed<'b> {
    #[serde(rename = "type")]
    kind: PromptType,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'b [Message]>,
    template_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_engine: Option<i64>,
    variables: &'b [String],
    input_schema: &'b InputSchema,
    config: &'b Map<String, Value>,
}

impl<'b> Hashed<'b> {
    fn of(body: &'b Body) -> Self {
        let (template_format, template_engine) = body.template_format.written();
        let (content, messages) = (body.content.as_deref(), body.messages.as_deref());
        let Body { kind, variables, input_schema, config, .. } = body;
        Self { kind: *kind, content, messages, template_format, template_engine, variables, input_schema, config }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        templates::{TemplateFormat, VariableSpec},
        versions::{BodyDraft, Role},
    };

    fn text(content: &str) -> BodyDraft {
        BodyDraft { content: Some(content.to_owned()), ..BodyDraft::default() }
    }

    #[test]
    fn equal_bodies_have_equal_hashes_and_others_do_not() {
        let hash = |content| text(content).check().unwrap().hash();
        assert_eq!(hash("a"), hash("a"));
        assert_ne!(hash("a"), hash("a "));
        assert_eq!(hash("a").len(), 64);
    }

    #[test]
    fn what_earlier_versions_wrote_is_still_known_by_its_hash() {
        let messages = vec![Message { role: Role::System, content: "Hello {{name}}".to_owned() }];
        let spec = VariableSpec { description: Some("whose".to_owned()), ..VariableSpec::default() };
        let chat = BodyDraft {
            messages: Some(messages),
            input_schema: [("name".to_owned(), spec)].into(),
            config: Map::from_iter([("temperature".to_owned(), Value::from(0.1))]),
            template_format: TemplateFormat::Simple,
            ..BodyDraft::default()
        };
        for (draft, hash) in [
            (
                BodyDraft { template_format: TemplateFormat::Simple, ..text("a") },
                "ea831bc005469cb6f0f690075bf65a16077fcba3544a2e2ab3440deb333d271e",
            ),
            (chat, "08f3d04dce1cf89f01d1daa76a77998940e8b12d21f55033579eef8e53d916c3"),
        ] {
            assert_eq!(draft.check().unwrap().hash(), hash);
        }
    }
}
