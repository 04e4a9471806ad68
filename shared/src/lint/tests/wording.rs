//! C01 to C08.
use super::{fires, given, passes};
use crate::lint::{Severity, Text, check};

#[test]
fn a_text_that_asks_for_nothing_is_a_warning() {
    assert_eq!(given("The sea is blue.").spans("C01"), [("no-task", "")]);
    assert_eq!(given("The sea is blue.\n<example>Write a poem.</example>").spans("C01"), [("no-task", "")]);
    passes("C01", "The sea is blue. Why?");
    passes("C01", "Please, always describe the sea.");
    passes("C01", "If it rains, describe the sea.");
    passes("C01", "You are a poet. You will get a word.");
    passes("C01", "The sea is blue.\n{{ question }}");
}

#[test]
fn a_text_that_names_no_form_is_a_remark_and_a_warning_where_a_program_reads_the_answer() {
    let silent = given("Tell me about the sea.");
    assert_eq!(silent.of("C02")[0].severity, Severity::Info);
    let text = Text { read_by_program: true, ..silent.text() };
    let report = check(&text, &silent.options);
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.code == "no-output-format" && finding.severity == Severity::Warning)
    );
    passes("C02", "Tell me about the sea in three sentences.");
    passes("C02", "Tell me about the sea.\n```\n{\"depth\": 1}\n```");
}

#[test]
fn many_vague_words_are_a_remark() {
    fires("C03", "Write some lines, several words and various things about the sea.", "vague-wording", "some");
    passes("C03", "Write some lines about the sea.");
    passes(
        "C03",
        &format!("Write some lines, several words and various things. {}", "The sea is wide and deep. ".repeat(60)),
    );
}

#[test]
fn two_instructions_that_exclude_each_other_are_a_warning() {
    fires(
        "C04",
        "Be brief. Describe it as detailed as possible.",
        "conflicting-instructions",
        "as detailed as possible",
    );
    fires("C04", "Return only JSON. Then explain why.", "conflicting-instructions", "Then explain");
    fires(
        "C04",
        "Always cite your sources. Write well. Never cite sources.",
        "conflicting-instructions",
        "Never cite sources",
    );
    assert_eq!(
        given("Be brief. Describe it as detailed as possible.").of("C04")[0].evidence.as_deref(),
        Some("Be brief / as detailed as possible")
    );
}

#[test]
fn instructions_for_different_cases_do_not_conflict() {
    passes("C04", "# Summary\nBe brief.\n# Report\nDescribe it as detailed as possible.");
    passes("C04", "Be brief. If asked, describe it as detailed as possible.");
    passes("C04", "Be brief, do not be exhaustive.");
    passes("C04", "Write a brief introduction and a comprehensive report.");
    passes("C04", "Always use the metric system. Never use the passive voice.");
}

#[test]
fn prohibitions_alone_are_a_remark() {
    let forbid = "Never lie. Do not shout. Don't guess. Avoid slang. You must not swear. Never sing.";
    fires("C05", forbid, "prohibitions-only", "Never lie");
    passes("C05", "Never lie. Do not shout. Don't guess.");
    passes("C05", &format!("{forbid} {}", "Write a line. ".repeat(6)));
}

#[test]
fn shouting_is_a_remark() {
    fires("C06", "You MUST answer. NEVER lie. ALWAYS be kind.", "capitals", "MUST");
    fires("C06", "Be kind!!! It helps.", "exclamation-marks", "!!!");
    passes("C06", "You MUST answer in JSON, HTML or CSV! NASA knows.");
    passes("C06", "# NEVER DO THIS\nDO NOT LIE\nUse `!!x` and x != y, and !!y.");
}

#[test]
fn several_people_in_one_are_a_warning() {
    fires(
        "C07",
        "You are a poet. Write. You are a lawyer who writes.",
        "several-personas",
        "You are a lawyer who writes",
    );
    passes("C07", "You are a poet. Write as if you are a lawyer. You are a great poet.");
    passes("C07", "You are a poet. You are not a lawyer. You are going home.");
}

#[test]
fn a_note_that_was_left_is_an_error() {
    fires("C08", "Write a poem.\nTODO: add the tone", "leftover-marker", "TODO");
    fires("C08", "The audience is TBD.\nWrite a poem.", "leftover-marker", "TBD");
    fires("C08", "Write for [insert name here].", "insert-here", "[insert name here]");
    fires("C08", "Write on: lorem ipsum dolor.", "filler-text", "lorem ipsum");
    passes("C08", "Write a TODO list app. Find TODO and FIXME comments. If unknown, write TBD.");
    passes("C08", "TODO comments are fine; my todo: none. Say \"TODO: x\".");
    passes("C08", "Write\n```\n// TODO: x\n[insert y]\n```");
}

#[test]
fn a_text_in_another_language_skips_the_rules_that_need_its_words() {
    for text in [
        "Du bist ein Dichter. Das Meer ist blau und die Welt ist auch nicht sehr groß mit dem Wind.",
        "海は青いです。世界は広いです。",
        "Море синее, а мир большой.",
        "El mar es azul y la vida es como una ola que no para de llegar con los vientos.",
    ] {
        assert_eq!([given(text).of("C01").len(), given(text).of("C02").len()], [0, 0], "{text}");
        assert_eq!(given(&format!("{text}\n\nTODO: x")).of("C08").len(), 1);
    }
}
