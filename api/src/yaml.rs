//! YAML as version 1.2 has it: `no`, `y` and `on` are words, `02134` is a text, and one file may hold several documents.
use serde_json::Value;
use serde_saphyr::{Error, UserMessageFormatter, options};

/// The documents of a text, within the parser's limits for a text from who knows where. The error is the end of a sentence that
/// begins with what is read, and a colon.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let rules = options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    serde_saphyr::from_multiple_with_options(text, rules).map_err(|error| {
        let mut cause = &error;
        while let Error::WithSnippet { error, .. } | Error::AliasError { error, .. } = cause {
            cause = error;
        }
        match cause {
            Error::Budget { .. }
            | Error::AliasReplayCounterOverflow { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. } => {
                "as YAML it is too large, or its aliases expand too far; as NDJSON it could be of any size".to_owned()
            }
            _ => format!("it is not valid YAML: {}", cause.render_with_formatter(&UserMessageFormatter)),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_and_numbers_are_what_version_1_2_says() {
        let text =
            "[y, n, no, yes, on, off, No, NO, true, false, True, 02134, 0o17, 1_000, 7, -1.5, ~, null, 2026-01-01]";
        assert_eq!(
            documents(text).expect("it is right"),
            [json!([
                "y",
                "n",
                "no",
                "yes",
                "on",
                "off",
                "No",
                "NO",
                true,
                false,
                true,
                "02134",
                15,
                "1_000",
                7,
                -1.5,
                null,
                null,
                "2026-01-01"
            ])]
        );
        let keys = documents("{no: 1, y: 2, on: 3, 02134: 4, true: 5, 7: 6}").expect("it is right");
        assert_eq!(keys, [json!({ "no": 1, "y": 2, "on": 3, "02134": 4, "true": 5, "7": 6 })]);
    }

    #[test]
    fn a_text_may_hold_several_documents_and_empty_ones_are_none() {
        assert_eq!(
            documents("a: 1\n---\n- b\n---\n...\n---\nc\n").expect("it is right"),
            [json!({ "a": 1 }), json!(["b"]), json!("c")]
        );
        assert_eq!(documents("").expect("it is right"), Vec::<Value>::new());
        assert!(documents("a: 1\n---\nb: [\n").expect_err("it is wrong").starts_with("it is not valid YAML: "));
    }
}
