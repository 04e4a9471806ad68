//! T01 to T09.
use serde_json::json;

use super::{Content, Given, Speaker, fires, given, passes};
use crate::{
    lint::{Autofix, Options},
    templates::TemplateFormat::{Fstring, Jinja2, Mustache, Simple, SimpleFstring},
};

#[test]
fn a_placeholder_that_is_not_declared_is_an_error() {
    let undeclared = given("Sum up {{ text }} in {{lang}}.").declared(&["text"]);
    assert_eq!(undeclared.spans("T01"), [("undeclared-variable", "{{lang}}")]);
    for format in [Fstring, SimpleFstring] {
        let fstring = given("Sum up {text} in {lang}.").format(format).declared(&["text"]);
        assert_eq!(fstring.spans("T01"), [("undeclared-variable", "{lang}")]);
    }
    let jinja = given("{% for d in docs %}{{ d.x }}{% endfor %}{{ docs }}").format(Jinja2).declared(&["docs"]);
    assert_eq!(jinja.spans("T01"), []);
    assert_eq!(given("Sum up {{ text }}.").spans("T01"), []);
}

#[test]
fn a_placeholder_in_code_is_not_looked_at_unless_the_fence_only_delimits_it() {
    let code = given("Write HTML like\n```\n<b>{{ name }}</b>\n```\nand `{{ x }}`.").declared(&[]);
    assert_eq!(code.spans("T01"), []);
    let delimited = given("Sum up\n```\n{{ name }}\n```").declared(&[]);
    assert_eq!(delimited.spans("T01"), [("undeclared-variable", "{{ name }}")]);
    passes("T03", "Write HTML like\n```\n<b>{{ name </b>\n```\nand `{{ x`.");
    passes("T04", "Sum up {{ text }} as in `${text}` or\n```\n{text} %text%\n```");
}

#[test]
fn a_declared_variable_that_is_not_used_can_go() {
    let unused = given("Sum up {{ text }}.").declared(&["text", "lang"]);
    let finding = &unused.of("T02")[0];
    assert_eq!((finding.variable.as_deref(), finding.span), (Some("lang"), None));
    assert_eq!(finding.autofix, Some(Autofix::RemoveDeclaration { variable: "lang".to_owned() }));
    // In the wrong style it is used all the same, and another rule says so.
    let foreign = given("Sum up {text}.").declared(&["text"]);
    assert_eq!((foreign.of("T02").len(), foreign.of("T04").len()), (0, 1));
    assert_eq!(given("Sum up {{ text }").format(Jinja2).declared(&["text", "lang"]).of("T02").len(), 0);
}

#[test]
fn a_placeholder_that_went_wrong_is_an_error() {
    fires("T03", "Sum up {{text} now.", "placeholder-unclosed", "{{text}");
    fires("T03", "Sum up {{ }} now.", "placeholder-empty", "{{ }}");
    fires("T03", "Sum up {{ a {{ b }} }} now.", "placeholder-nested", "{{ a {{ b }} }}");
    fires("T03", "Sum up {{ text | upper }} now.", "placeholder-filter", "{{ text | upper }}");
    let fstring = given("Sum up {text!r} and {lang for me.").format(SimpleFstring).declared(&["text", "lang"]);
    assert_eq!(fstring.spans("T03"), [("placeholder-filter", "{text!r}"), ("placeholder-unclosed", "{lang")]);
    let jinja = given("Hello.\nSum up {{ text | shout }}.").format(Jinja2);
    assert_eq!(jinja.spans("T03")[0].0, "template-forbidden");
    assert_eq!(jinja.of("T03")[0].span.unwrap().first_line, 2);
}

#[test]
fn whatever_looks_like_a_placeholder_and_is_not_filled_is_an_error() {
    for braces in [
        "{{user-name}}",
        "{{user.name}}",
        "{{code here}}",
        "{{1st}}",
        "{{x[0]}}",
        "{{x()}}",
        "{{\"x\"}}",
        "{{$x}}",
        "{{@x}}",
        "{{#x}}",
        "{{^x}}",
        "{{/x}}",
        "{{> x}}",
        "{{&x}}",
        "{{! x }}",
        "{{=<% %>=}}",
        "{{\u{a0}x}}",
        "{{x\u{200b}}}",
    ] {
        let text = format!("Greet {braces} in one sentence.");
        let found = given(&text).format(Simple).of("T03");
        assert_eq!(found.len(), 1, "{braces}: {found:?}");
    }
    for braces in
        ["{{code here}}", "{{x[0]}}", "{{x()}}", "{{\"x\"}}", "{{$x}}", "{{@x}}", "{{ #x }}", "{{x\u{200b}}}", "{{x.}}"]
    {
        let text = format!("Greet {braces} in one sentence.");
        assert_eq!(given(&text).format(Mustache).spans("T03").len(), 1, "{braces}");
    }
    for field in ["{x:.2f}", "{x!r}", "{x.y}", "{x[0]}", "{ x }"] {
        let text = format!("Greet {field} in one sentence.");
        assert_eq!(given(&text).format(SimpleFstring).declared(&["x"]).spans("T03").len(), 1, "{field}");
    }
    let triple = given("Greet {{{x}}} now.").format(Simple);
    assert_eq!(triple.of("T03").len(), 1);
}

#[test]
fn what_the_engine_refuses_is_an_error() {
    for (format, text) in [
        (Mustache, "{{#if x}}a{{else}}b{{/if}}"),
        (Mustache, "Hello {{> part}}"),
        (Mustache, "{{#x}} is not closed"),
        (Fstring, "Answer as {\"a\": {x}}"),
        (Fstring, "Hello {x.y}"),
        (Jinja2, "{{ '%.2f' % x }}"),
    ] {
        assert_eq!(given(text).format(format).of("T03").len(), 1, "{text}");
    }
}

#[test]
fn what_is_filled_is_no_error() {
    for (format, text) in [
        (
            Mustache,
            "{{user-name}} {{user.name}} {{#vip}}VIP {{x}}{{/vip}}{{^vip}}{{{y}}}{{/vip}} {{! note }}{{&z}} {{1st}}",
        ),
        (Mustache, "Answer as {\"a\": {\"b\": 1}}, or say \\frac{{a}}{b}."),
        (Fstring, "Answer as {{\"text\": {text!r}}} or {n:>8.2f}"),
        (SimpleFstring, "Answer as {\"text\": 1} or {}."),
    ] {
        assert_eq!(given(text).format(format).spans("T03"), [], "{text}");
    }
}

#[test]
fn rules_see_the_variables_that_filling_sees() {
    let hidden = given("Greet {{x\u{200b}}} in one sentence.");
    assert_eq!((hidden.of("T06").len(), hidden.of("T03").len(), hidden.of("X03").len()), (0, 1, 1));
    let beside = given("Gre\u{200b}et {{x}} in one\u{200b} sentence to {{y}}.");
    assert_eq!(beside.spans("T06").iter().map(|(_, span)| *span).collect::<Vec<_>>(), ["{{x}}", "{{y}}"]);
}

#[test]
fn styles_are_not_mixed() {
    for foreign in ["{lang}", "${lang}", "${lang:English}", "%lang%"] {
        fires("T04", &format!("Sum up {{{{ text }}}} in {foreign}."), "mixed-placeholder-styles", foreign);
    }
    for format in [Fstring, SimpleFstring] {
        let fstring = given("Sum up {text} in {{lang}}.").format(format).declared(&["text"]);
        assert_eq!(fstring.spans("T04"), [("mixed-placeholder-styles", "{{lang}}")]);
    }
    passes("T04", "Sum up {{ text }}: \\textbf{bold}, x_{i}, 50% of a, 20%; %2F%3A; {like this}; #{x}; ${{ text }}");
    passes("T04", "I will put text into {brackets}.");
}

#[test]
fn names_that_a_person_confuses_are_a_warning() {
    let of = |names: &[&str]| given("Write.").declared(names).of("T05").len();
    assert_eq!(
        [of(&["user_name", "userName"]), of(&["document", "documents"]), of(&["langauge", "langauges"])],
        [1; 3]
    );
    assert_eq!(
        [of(&["item1", "item2"]), of(&["start_x", "start_y"]), of(&["cat", "car"]), of(&["source", "target"])],
        [0; 4]
    );
}

#[test]
fn a_variable_that_nothing_is_said_of_is_a_remark() {
    fires("T06", "Sum up {{ text }}.", "undescribed-variable", "{{ text }}");
    for spec in [json!({"type": "string"}), json!({"description": "What to sum up."}), json!({"default": "x"})] {
        assert_eq!(given("Sum up {{ text }}.").schema(json!({"text": spec})).of("T06").len(), 0);
    }
}

#[test]
fn text_from_outside_in_a_sentence_is_a_warning() {
    fires("T07", "Sum up the text {{ text }} in a sentence.", "undelimited-input", "{{ text }}");
    for delimited in [
        "Sum up the text in a sentence.\n\n{{ text }}",
        "Sum up the text. Text: {{ text }}",
        "Sum up the text <t>{{ text }}</t> in a sentence.",
        "Write three jokes about {{ topic }}, please.",
    ] {
        passes("T07", delimited);
    }
    let options = Options { untrusted: vec!["topic".to_owned()], ..Options::default() };
    assert_eq!(given("Write three jokes about {{ topic }}, please.").options(options).of("T07").len(), 1);
    let number = given("Sum up the text {{ text }} in a sentence.").schema(json!({"text": {"type": "integer"}}));
    assert_eq!(number.of("T07").len(), 0);
}

#[test]
fn a_delimiter_that_the_text_can_end_is_a_warning() {
    fires("T08", "Sum up:\n```\n{{ text }}\n```", "breakable-fence", "{{ text }}");
    fires("T08", "Sum up \"{{ text }}\" in a sentence.", "breakable-quotes", "{{ text }}");
    passes("T08", "Sum up:\n````\n{{ text }}\n````");
    passes("T08", "Sum up \"{{ topic }}\" in a sentence.");
    let escaped = given("Sum up \"{{ text | e }}\" in a sentence.").format(Jinja2);
    assert_eq!(escaped.of("T08").len(), 0);
    passes("T08", "Sum up <t>{{ text }}</t>.");
}

#[test]
fn a_variable_in_front_of_much_fixed_text_is_a_remark() {
    let fixed = "Write as the sea does. ".repeat(200);
    fires("T09", &format!("Hello {{{{ name }}}}. {fixed}"), "cache-unfriendly-order", "{{ name }}");
    passes("T09", &format!("{fixed} Hello {{{{ name }}}}."));
    passes("T09", "Hello {{ name }}. Write as the sea does.");
    let messages = vec![(Speaker::Instructor, fixed.as_str()), (Speaker::Instructor, "{{ name }}")];
    assert_eq!(Given { content: Content::Messages(messages), ..given("") }.spans("T09"), []);
}
