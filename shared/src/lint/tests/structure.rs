//! S01 to S08.
use super::{Content, Given, Speaker, fires, given, passes};

#[test]
fn a_tag_that_is_not_closed_is_an_error() {
    fires("S01", "Sum up.\n<doc>\nHello.\n", "tag-unclosed", "<doc>");
    fires("S01", "Sum up.\nHello.\n</doc>", "tag-unopened", "</doc>");
    fires("S01", "<rules>\n<tone>\nx\n</rules>", "tag-unclosed", "<tone>");
}

#[test]
fn what_is_no_tag_of_a_prompt_needs_no_end() {
    passes("S01", "Sum up.\n<doc lang=\"en\">\nHello.\n</doc>\n<x/>");
    passes("S01", "Answer in HTML:\n<html>\n<br>\n<p>a\n<li>b");
    passes("S01", "Put the answer into <answer> tags, as a List<String>, if a < b and c > d.");
    passes("S01", "Write\n```\n<doc>\nx\n```\nand `<doc>`.");
    passes("S01", "Commit as\n\n<type>(<scope>): <subject>\n\n<details>");
    passes("S01", "See <https://a.org> or <me@a.org>.");
}

#[test]
fn a_fence_that_is_not_closed_is_an_error() {
    fires("S02", "Run\n```sh\nls\n", "fence-unclosed", "```sh");
    passes("S02", "Run\n```sh\nls\n```\n");
    passes("S02", "Show how:\n```markdown\n```json\n{}\n```\n```\nDone.");
    passes("S02", "Run\n````\n```\n````\nand ```ls``` too.");
}

#[test]
fn a_section_with_nothing_in_it_is_a_warning() {
    fires("S03", "# Task\n\n# Rules\nBe kind.", "section-empty", "# Task");
    passes("S03", "# Task\n## Part\nWrite.\n# Rules\nBe kind.\n# Input\n");
    passes("S03", "```\n# a\n# b\n```\n#hashtag\n#other");
}

#[test]
fn the_same_instruction_twice_is_a_warning() {
    let text = "Write a short poem. Never use rhymes in it. Write a short poem.";
    let found = given(text).of("S04");
    assert_eq!((found.len(), found[0].code, found[0].span.unwrap().start), (1, "instruction-repeated", 44));
    fires(
        "S04",
        "Write a long report about the sea with all the details the customer asked for. Be kind. \
         Write a long report about the sea with all of the details the customer asked for.",
        "instruction-nearly-repeated",
        "Write a long report about the sea with all of the details the customer asked for",
    );
}

#[test]
fn two_instructions_that_differ_in_what_matters_are_two() {
    passes("S04", "Write a poem about {{a}}. Write a poem about {{b}}.");
    passes(
        "S04",
        "Write a long report about the sea with all the details that customer 1 asked for. \
         Write a long report about the sea with all the details that customer 2 asked for.",
    );
    passes("S04", "The sea is very blue. The sea is very blue.");
    passes("S04", "Example 1:\nWrite a short poem.\n\nExample 2:\nWrite a short poem.\n");
    passes("S04", "Be kind. Be kind.");
}

#[test]
fn a_long_text_without_structure_is_a_remark() {
    let words = "The sea is wide. ".repeat(80);
    fires("S05", words.trim_end(), "unstructured", words.trim_end());
    let long = "word ".repeat(250);
    let divided = format!("# Task\n{}", long.trim_end());
    fires("S05", &divided, "long-paragraph", long.trim_end());
    passes("S05", &format!("# Task\n{}", "The sea is wide. \n\n".repeat(80)));
}

#[test]
fn examples_that_differ_in_form_are_a_warning() {
    let text = |second: &str| {
        format!("Classify.\n<example>\nInput: a\nOutput: {{\"x\": 1}}\n</example>\n<example>\n{second}\n</example>")
    };
    let codes = |second: &str| given(&text(second)).of("S06").iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert_eq!(codes("Input: b\nAnswer: {\"x\": 1}"), ["example-labels-differ"]);
    assert_eq!(codes("Input: b\nOutput: it is x"), ["example-shapes-differ"]);
    assert_eq!(codes("Input: b\nOutput: {\"y\": 1}"), ["example-keys-differ"]);
    assert_eq!(codes("Input: b\nOutput: {\"x\": 2}"), [""; 0]);
    let whole = text("Input: b\nAnswer: c");
    assert_eq!(given(&whole).spans("S06")[0].1, "\nInput: b\nAnswer: c\n");
}

#[test]
fn what_a_text_speaks_of_must_be_there() {
    fires("S07", "Classify as in the examples above.", "example-missing", "examples above");
    fires("S07", "Classify. Use the following examples:", "example-missing", "following examples");
    fires("S07", "Take prices from the table below.", "table-missing", "table below");
    fires("S07", "# A\nFollow the \"Tone\" section.\n# Style\nBe kind.", "section-missing", "Tone");
    fires("S07", "Answer from the facts provided in <facts>.", "tag-missing", "<facts>");
}

#[test]
fn what_a_text_speaks_of_may_be_there_or_come_later() {
    passes("S07", "Classify. Use the following examples:\n\nExample 1: a is b");
    passes("S07", "Take prices from the table below.\n\n| a | b |\n|---|---|");
    passes("S07", "Take prices from the table below.\n\n{{ prices }}");
    passes("S07", "# A\nFollow the \"Tone\" section. Write a \"Risks\" section.\n# Tone\nBe kind.");
    passes("S07", "Answer from the facts provided in <facts>.\n<facts>a</facts>\nPut the answer in <answer> tags.");
    passes("S07", "Sum up the text below.");
    let messages = vec![
        (Speaker::Instructor, "Answer like the following examples:"),
        (Speaker::Instructor, "a"),
        (Speaker::Model, "b"),
    ];
    assert_eq!(Given { content: Content::Messages(messages), ..given("") }.spans("S07"), []);
}

#[test]
fn one_example_alone_is_a_remark() {
    fires("S08", "Classify.\n<example>a is b</example>", "single-example", "a is b");
    fires("S08", "Classify.\n\nExample:\nInput: a\nOutput: b", "single-example", "Example:\nInput: a\nOutput: b");
    passes("S08", "Classify.\n<example>a is b</example>\n<example>c is d</example>");
    passes("S08", "Classify.\n\nInput: {{ text }}\nOutput:");
    passes("S08", "Give an example of a metaphor.");
}
