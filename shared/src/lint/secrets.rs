//! Keys, tokens and passwords (X01). A report shows how they begin and no more.
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::found::{Found, Message};
use super::logins;
use super::prompt::Prompt;
use super::rules::Rule;

const KEY: Message = Message {
    rule: Rule::Secret,
    code: "known-key",
    fix: "Remove the key, and replace it where it is used: whoever can read the prompt has it.",
};
const PRIVATE_KEY: Message = Message {
    rule: Rule::Secret,
    code: "private-key",
    fix: "Remove the private key, and make a new one: whoever can read the prompt has it.",
};
const ASSIGNED: Message = Message {
    rule: Rule::Secret,
    code: "assigned-secret",
    fix: "Remove the secret, and change it: whoever can read the prompt has it.",
};

const IN_ADDRESS: Message = Message {
    rule: Rule::Secret,
    code: "password-in-address",
    fix: "Remove the password from the address, and change it: whoever can read the prompt has it.",
};
const IN_HEADER: Message = Message {
    rule: Rule::Secret,
    code: "authorization-header",
    fix: "Remove the token, and replace it where it is used: whoever can read the prompt has it.",
};

/// Keys that are known by how they begin, and addresses that are keys. The public keys of Langfuse (`pk-lf-`) are none.
const KEYS: &str = r"(?x-u) \b(?:
    sk-ant-[A-Za-z0-9_-]{20,} | sk-(?:proj|svcacct|admin|or|lf)-[A-Za-z0-9_-]{20,} | sk-[A-Za-z0-9]{20,}
    | xai-[A-Za-z0-9]{20,} | ps_[0-9A-Za-z]{26}_[A-Za-z0-9_-]{43}_[A-Za-z0-9]{8}\b
    | (?:Account|SharedAccess)Key=[A-Za-z0-9+/]{20,}={0,2} | [0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b
    | hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9]{6,}/[A-Za-z0-9]{6,}/[A-Za-z0-9/]{16,}
    | discord(?:app)?\.com/api/webhooks/[0-9]{15,}/[A-Za-z0-9_-]{40,}
    | (?:AKIA|ASIA)[A-Z0-9]{16}\b | AIza[A-Za-z0-9_-]{35} | ya29\.[A-Za-z0-9_-]{20,}
    | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_[A-Za-z0-9_]{22,} | glpat-[A-Za-z0-9_-]{20,}
    | xox[abeoprs]-[A-Za-z0-9-]{10,} | hf_[A-Za-z0-9]{30,} | npm_[A-Za-z0-9]{36}\b | pypi-[A-Za-z0-9_-]{50,}
    | (?:sk|rk|pk)_live_[A-Za-z0-9]{16,} | whsec_[A-Za-z0-9+/=]{24,} | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}
    | dop_v1_[a-f0-9]{64}\b | shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b | gsk_[A-Za-z0-9]{40,} | r8_[A-Za-z0-9]{30,}
    | eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
)";

/// A name for something secret, and what it is set to.
const ASSIGNMENT: &str = r#"(?xi-u) \b(?:[a-z0-9]{1,20}[_-]){0,3}
    (?:api[_-]?key|secret|token|password|passwd|pwd|access[_-]?key|credentials?)
    ["']?[\ \t]{0,3}(?:=|:|:=|=>)[\ \t]{0,3}["'`]?([a-z0-9+/_.~!@\#%^&*=-]{12,200})"#;

/// What a request proves itself with.
const HEADER: &str = r#"(?xi-u) \b(?: authorization["']?[\ \t]{0,3}[:=][\ \t]{0,3}["']?(?:bearer|basic|token|apikey) | bearer )
    [\ \t]{1,3}["']?([a-z0-9._~+/=-]{16,400})"#;

static HEADER_PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(HEADER).expect("the pattern is valid"));
static KEY_PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(KEYS).expect("the pattern is valid"));
static ASSIGNMENT_PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(ASSIGNMENT).expect("the pattern is valid"));

/// So much after a password is looked at for the host.
const HOST_BYTES: usize = 100;

/// How many are looked at in one text.
const LOOKED_AT_MAX: usize = 2000;

/// How much a secret tells at least, in bits per character. Words tell less.
const ENTROPY_MIN: f64 = 3.2;

pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    for (part, reading) in prompt.readings() {
        let text = &reading.text;
        let here = |message, range: Range<usize>| {
            let evidence = mask(&text[range.clone()]);
            Found::new(message).at(part, range).evidence(evidence)
        };
        let mut told = Told::default();
        for key in KEY_PATTERN.find_iter(text).take(LOOKED_AT_MAX) {
            if !is_made_up(key.as_str()) && told.is_new(&key.range()) {
                found.push(here(&KEY, key.range()));
            }
        }
        for header in text.match_indices("-----BEGIN ").take(LOOKED_AT_MAX).map(|(at, _)| at) {
            let line_end = text[header..].bytes().take(60).position(|byte| byte == b'\n').map_or(60, |len| len);
            let end = text.floor_char_boundary((header + line_end).min(text.len()));
            if let Some(len) = text[header..end].find("PRIVATE KEY-----") {
                found.push(here(&PRIVATE_KEY, header..header + len + "PRIVATE KEY-----".len()));
            }
        }
        for password in logins::read(text, is_random).into_iter().filter_map(|login| login.password) {
            // The host, too, says whether it is an example.
            let end = text.floor_char_boundary((password.end + HOST_BYTES).min(text.len()));
            let host = text[password.end..end].split(|char: char| char.is_whitespace() || char == '/').next();
            if !is_made_up(&text[password.clone()]) && !host.is_some_and(is_made_up) && told.is_new(&password) {
                found.push(here(&IN_ADDRESS, password));
            }
        }
        for (message, pattern) in [(&IN_HEADER, &HEADER_PATTERN), (&ASSIGNED, &ASSIGNMENT_PATTERN)] {
            for value in pattern.captures_iter(text).take(LOOKED_AT_MAX).filter_map(|found| found.get(1)) {
                if is_random(value.as_str()) && !is_made_up(value.as_str()) && told.is_new(&value.range()) {
                    found.push(here(message, value.range()));
                }
            }
        }
    }
}

/// What was found already, by where it starts, so that nothing is found twice.
#[derive(Default)]
struct Told(BTreeMap<usize, usize>);

impl Told {
    fn is_new(&mut self, range: &Range<usize>) -> bool {
        let overlaps = self.0.range(..range.end).next_back().is_some_and(|(_, end)| *end > range.start);
        if !overlaps {
            self.0.insert(range.start, range.end);
        }
        !overlaps
    }
}

/// How a secret begins, and how long it is. Of a short one less is shown.
fn mask(secret: &str) -> String {
    let chars = secret.chars().count();
    let shown: String = secret.chars().take((chars / 4).min(4)).collect();
    format!("{shown}… ({chars} characters)")
}

/// Letters and digits, or both cases, in no order that a word has.
pub(super) fn is_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let kinds = [has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase), has(u8::is_ascii_digit)];
    let is_mixed = has(u8::is_ascii_digit) && kinds.iter().filter(|kind| **kind).count() >= 2;
    is_mixed && entropy(value) >= ENTROPY_MIN
}

/// Of the characters, in bits.
#[expect(clippy::cast_precision_loss, reason = "a secret has few characters")]
fn entropy(value: &str) -> f64 {
    let mut counts: HashMap<u8, usize> = HashMap::new();
    for byte in value.bytes() {
        *counts.entry(byte).or_default() += 1;
    }
    let total = value.len() as f64;
    counts.values().map(|count| *count as f64 / total).map(|share| -share * share.log2()).sum()
}

/// Keys in manuals say so.
fn is_made_up(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let says_so = [
        "example",
        "your",
        "xxxx",
        "placeholder",
        "changeme",
        "dummy",
        "sample",
        "redacted",
        "1234567890",
        "abcdef",
        "....",
        "****",
        "${",
    ];
    says_so.iter().any(|word| lower.contains(word))
}
