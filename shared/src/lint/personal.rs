//! What names a person (X02): addresses, numbers of phones, cards and citizens. A report shows how they begin.
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::found::{Found, Message};
use super::logins;
use super::prompt::Prompt;
use super::rules::Rule;
use super::secrets::is_random;

const fn personal(code: &'static str) -> Message {
    Message { rule: Rule::PersonalData, code, fix: "Remove it, or make it a variable: a prompt is kept and shared." }
}

const EMAIL: Message = personal("email");
const PHONE: Message = personal("phone");
const CARD: Message = personal("payment-card");
const CITIZEN: Message = personal("national-id");

/// How many are looked at in one text.
const LOOKED_AT_MAX: usize = 2000;

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

static EMAIL_PATTERN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i-u)\b[a-z0-9][a-z0-9._%+-]{0,63}@((?:[a-z0-9-]+\.)+[a-z]{2,24})\b"));

/// Digits with what may stand between them: cards, phones and ids are all told from these.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)\+?\(?[0-9](?:[ .()-]{0,2}[0-9]){8,18}\b"));

/// With letters: of Britain, Spain and Italy.
static LETTERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x-u)\b(?:
            [A-CEGHJ-PR-TW-Z]{2}\ ?[0-9]{2}\ ?[0-9]{2}\ ?[0-9]{2}\ ?[A-D]
            | [0-9]{8}-?[A-Z]
            | [A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-9]{2}[A-Z][0-9]{3}[A-Z]
        )\b",
    )
});

pub(super) fn check(prompt: &Prompt<'_>, found: &mut Vec<Found>) {
    for (part, reading) in prompt.readings() {
        let text = &reading.text;
        let mut here = |message, range: Range<usize>| {
            let evidence = mask(&text[range.clone()]);
            found.push(Found::new(message).at(part, range).evidence(evidence));
        };
        // What logs in somewhere is no address of a person, and its password is told by another rule.
        let logins: Vec<Range<usize>> = logins::read(text, is_random).into_iter().map(|login| login.range).collect();
        let logs_in = |email: &Range<usize>| {
            let before = logins.partition_point(|login| login.end <= email.start);
            logins.get(before).is_some_and(|login| login.start < email.end)
        };
        for email in EMAIL_PATTERN.captures_iter(text).take(LOOKED_AT_MAX) {
            let (Some(whole), Some(domain)) = (email.get(0), email.get(1)) else { continue };
            if !is_reserved(&domain.as_str().to_ascii_lowercase()) && !logs_in(&whole.range()) {
                here(&EMAIL, whole.range());
            }
        }
        for number in DIGITS.find_iter(text).take(LOOKED_AT_MAX) {
            let before = text[..number.start()].chars().next_back();
            // Part of a longer number, of a name or of an address is none of these.
            let is_part = before.is_some_and(|before| before.is_alphanumeric() || "_./-+=#:@".contains(before))
                || text[number.end()..].starts_with(['_', '/', '@', '%']);
            if let Some(message) = number_kind(number.as_str()).filter(|_| !is_part) {
                here(message, number.range());
            }
        }
        for id in LETTERED.find_iter(text).take(LOOKED_AT_MAX).filter(|id| is_lettered_id(id.as_str())) {
            here(&CITIZEN, id.range());
        }
    }
}

/// How it begins, and how long it is.
fn mask(data: &str) -> String {
    let shown: String = data.chars().take(2).collect();
    format!("{shown}… ({} characters)", data.chars().count())
}

/// Domains that nobody has an address in.
fn is_reserved(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    let name = domain.rsplit('.').nth(1).unwrap_or_default();
    matches!(last, "example" | "test" | "invalid" | "localhost" | "local" | "png" | "jpg" | "svg")
        || matches!(name, "example" | "yourdomain" | "yourcompany" | "domain" | "acme")
}

/// What a written number is, by its digits and by how they are grouped.
fn number_kind(written: &str) -> Option<&'static Message> {
    let digits: Vec<u8> = written.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    let groups: Vec<usize> =
        written.split(|char: char| !char.is_ascii_digit()).map(str::len).filter(|len| *len > 0).collect();
    if is_card(&digits, &groups) && !written.contains(['+', '(']) {
        return Some(&CARD);
    }
    if is_security_number(written, &digits) || is_cpf(written, &digits) {
        return Some(&CITIZEN);
    }
    let is_international = written.starts_with('+') && (9..=15).contains(&digits.len()) && digits[0] != 0;
    (is_international || is_american(written, &digits, &groups)).then_some(&PHONE)
}

/// A number that a payment card can have, in one group or in those that are printed on it.
fn is_card(digits: &[u8], groups: &[usize]) -> bool {
    let is_grouped = matches!(groups, [_] | [4, 4, 4, 4] | [4, 6, 4 | 5] | [4, 4, 4, 4, 3]);
    let is_issued = match (digits.first(), digits.len()) {
        (Some(4), 13 | 16 | 19) | (Some(5 | 2), 16) | (Some(6), 16 | 19) => true,
        (Some(3), 15) => matches!(digits[1], 4 | 7),
        (Some(3), 14) => matches!(digits[1], 0 | 6 | 8),
        _ => false,
    };
    let is_varied = digits.iter().any(|digit| *digit != digits[0]);
    is_grouped && is_issued && is_varied && luhn(digits)
}

/// The check digit of cards.
fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weighed = digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit });
    weighed.map(u32::from).sum::<u32>() % 10 == 0
}

/// A social security number of the United States: `ddd-dd-dddd`.
fn is_security_number(written: &str, digits: &[u8]) -> bool {
    let shape: Vec<&str> = written.split('-').collect();
    let [area, group, serial] = shape.as_slice() else { return false };
    let fits = area.len() == 3 && group.len() == 2 && serial.len() == 4 && digits.len() == 9;
    fits && !matches!(*area, "000" | "666")
        && digits[0] != 9
        && *group != "00"
        && *serial != "0000"
        && written != "123-45-6789"
}

/// A taxpayer's number of Brazil: `ddd.ddd.ddd-dd`, the last two of which follow from the others.
fn is_cpf(written: &str, digits: &[u8]) -> bool {
    let has_shape =
        digits.len() == 11 && written.len() == 14 && written.as_bytes()[3] == b'.' && written.as_bytes()[11] == b'-';
    let check = |len: usize| {
        let sum: usize = digits[..len].iter().enumerate().map(|(at, digit)| usize::from(*digit) * (len + 1 - at)).sum();
        sum * 10 % 11 % 10 == usize::from(digits[len])
    };
    has_shape && digits.iter().any(|digit| *digit != digits[0]) && check(9) && check(10)
}

/// A phone number of North America, grouped as such, and none that is kept for films.
fn is_american(written: &str, digits: &[u8], groups: &[usize]) -> bool {
    let is_grouped = groups == [3, 3, 4] && !written.contains("  ");
    let is_assigned = digits.len() == 10 && digits[0] >= 2 && digits[3] >= 2;
    let is_fictitious = digits.len() == 10 && digits[3..6] == [5, 5, 5];
    is_grouped && is_assigned && !is_fictitious
}

/// Of Spain, where a letter follows from the number; of the others, by their form.
fn is_lettered_id(id: &str) -> bool {
    let Some(number) = id.get(..8).and_then(|digits| digits.parse::<usize>().ok()) else { return true };
    let letters = b"TRWAGMYFPDXBNJZSQVHLCKE";
    id.as_bytes().last() == Some(&letters[number % letters.len()])
}
