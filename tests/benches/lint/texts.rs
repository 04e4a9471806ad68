//! What is linted: texts as people write them, and texts that were written to take long.
use shared::templates::TemplateFormat::{self, Fstring, Jinja2, Mustache};

/// A kind of text.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) format: TemplateFormat,
    /// A piece of it; of texts without repeats the number says which.
    piece: fn(usize) -> String,
}

impl Kind {
    const fn new(name: &'static str, format: TemplateFormat, piece: fn(usize) -> String) -> Self {
        Self { name, format, piece }
    }

    /// A text of so many bytes, or a few less.
    pub(crate) fn text(&self, bytes: usize) -> String {
        let (mut text, mut number) = (String::with_capacity(bytes + 1024), 0);
        while text.len() < bytes {
            text.push_str(&(self.piece)(number));
            number += 1;
        }
        text.truncate(text.floor_char_boundary(bytes));
        text
    }
}

/// Every kind, the harmless first.
pub(crate) const KINDS: [Kind; 19] = [
    Kind::new("prose", Mustache, prose),
    Kind::new("prose in one line", Mustache, |number| prose(number).replace('\n', " ")),
    Kind::new("a template of Jinja2", Jinja2, |number| prose(number).replace("{{text}}", "{{ text | upper }}")),
    Kind::new("Rust", Mustache, code),
    Kind::new("Rust in a block of code", Mustache, |number| format!("```rust\n{}```\n", code(number))),
    Kind::new("JSON", Fstring, json),
    Kind::new("Chinese", Mustache, chinese),
    Kind::new("tables and HTML", Mustache, markup),
    Kind::new("examples", Mustache, examples),
    Kind::new("one instruction again and again", Mustache, |_| "Never write the answer in two words. ".to_owned()),
    Kind::new("instructions that differ in a word", Mustache, |number| {
        format!("Always write the answer to question w{number} in two or three short words. ")
    }),
    Kind::new("braces", Mustache, |_| "{{ {{a}} {{b {x} ${y %z% ".to_owned()),
    Kind::new("tags that are never closed", Mustache, |number| format!("<t{number}> <b ")),
    Kind::new("fences", Mustache, |_| "```\n~~~\n````a\n".to_owned()),
    Kind::new("quotes and apostrophes", Mustache, |_| "\"it's “a” 'b' the section\" ".to_owned()),
    Kind::new("numbers and addresses", Mustache, |_| "a.b@c.d-e.fg 4111 1111 1111 1112 +1 (202) 555 ".to_owned()),
    Kind::new("almost secrets", Mustache, |_| "sk-ant-api token: = AKIA0 eyJa.eyJb. api_key_api_key=".to_owned()),
    Kind::new("one letter", Mustache, |_| "a".to_owned()),
    Kind::new("hidden characters", Mustache, |_| "a\u{200B}b\u{200D}\u{E0041} ".to_owned()),
];

/// A paragraph, now and then with a heading, a list or a variable.
fn prose(number: usize) -> String {
    const SENTENCES: [&str; 8] = [
        "Read what the customer wrote, and find out which order it is about.",
        "If the parcel is late by more than five days, offer a refund; otherwise say when it will come.",
        "You may mention earlier letters, but don't quote more than two lines of them.",
        "The tone is that of a friendly colleague who knows the warehouse (and its limits).",
        "Write three short paragraphs, in the language of the letter, without any greeting at the end.",
        "Some letters are angry, and a few are very long: answer the first question first.",
        "Dates look like 2024-05-17, amounts like EUR 12.50, numbers of orders like A-10023.",
        "Who reads the answer should know what happens next, and who does it.",
    ];
    let chosen = (0..5).map(|nth| SENTENCES[(number * 7 + nth * 3 + number / 5) % SENTENCES.len()]);
    let sentences = chosen.map(|sentence| sentence.replacen("the", &format!("the {}", word(number)), 1));
    let paragraph = sentences.collect::<Vec<_>>().join(" ");
    match number % 6 {
        0 => format!("## Part {}\n\n{paragraph}\n\n", word(number)),
        3 => format!("- {}\n\n", paragraph.replace(". ", ".\n- ")),
        5 => format!("{paragraph}\n\n<letter>\n{{{{text}}}}\n</letter>\n\n"),
        _ => format!("{paragraph}\n\n"),
    }
}

/// A word that no other number has.
fn word(mut number: usize) -> String {
    const SYLLABLES: [&str; 10] = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu"];
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[number % 10]);
        number /= 10;
        if number == 0 {
            return word;
        }
    }
}

fn code(number: usize) -> String {
    let name = word(number);
    format!(
        "/// Finds the {name} of a list, if it has one.\npub fn find_{name}<T: Ord + Clone>(list: &[T], at: usize) \
         -> Option<T> {{\n    let {name} = list.get(at % {number}.max(1))?; // TODO\n    if list.len() > {number} && \
         !list.is_empty() {{\n        return Some({name}.clone());\n    }}\n    let text = format!(\"{{at}}: \
         {{:?}}\", \"{name}\");\n    println!(\"{{text}}\");\n    None\n}}\n\n"
    )
}

fn json(number: usize) -> String {
    let name = word(number);
    format!(
        "{{\"id\": {number}, \"name\": \"{name}\", \"email\": \"{name}@example.com\", \"tags\": [\"{name}\", \"new\"], \
         \"price\": {number}.25, \"token\": \"sha-{number:08x}\", \"nested\": {{\"ok\": true, \"of\": null}}}},\n"
    )
}

fn chinese(number: usize) -> String {
    format!(
        "请阅读客户的来信，找出它与哪个订单有关。如果包裹迟到超过五天，请提出退款；否则请说明何时到达第{number}批。\
         回答应简短、友好，并使用来信的语言！谁会处理下一步？\n\n"
    )
}

fn markup(number: usize) -> String {
    format!(
        "| {number} | {} | [link](https://example.com/a/{number}?b=%20c) | 12.5 % |\n<div class=\"row\"><p>One &amp; \
         two<br></p><custom-{number}>text</custom-{number}></div>\n",
        word(number)
    )
}

fn examples(number: usize) -> String {
    format!(
        "### Example {number}\n\nInput: the {} is late\nOutput: {{\"label\": \"late\", \"urgency\": {number}}}\n\n",
        word(number)
    )
}
