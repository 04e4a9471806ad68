//! Who logs in where, as addresses say it: `scheme://user:password@host`.
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A user, and perhaps a password, in front of a host.
pub(super) struct Login {
    /// Where both stand.
    pub(super) range: Range<usize>,
    /// Where the password stands, if there is one that is not made up.
    pub(super) password: Option<Range<usize>>,
}

/// How many are looked at in one text.
const LOOKED_AT_MAX: usize = 2000;
/// Shorter ones are those of manuals.
const PASSWORD_BYTES_MIN: usize = 6;

/// A password may hold an unescaped `@`; the host begins after the last one.
const IN_URL: &str = r#"(?xi-u) \b[a-z][a-z0-9+.-]{1,20}://
    ([[!-~]--[/?\#@:"'`<>{}\[\]\\]]{0,64} (?: : ([[!-~]--[/?\#"'`<>{}\[\]\\]]{1,200}) )?) @ [a-z0-9\[]"#;

/// Without a scheme it may as well be an address of a person behind a word and a colon.
const ALONE: &str = r"(?xi-u) \b(([a-z0-9][a-z0-9._-]{0,63}) : ([[!-~]--[/?\#@:\x22'`<>{}\[\]\\]]{8,200})) @ [a-z0-9]";

static IN_URL_PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(IN_URL).expect("the pattern is valid"));
static ALONE_PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(ALONE).expect("the pattern is valid"));

/// The logins of a text, in order. `is_random` tells a password from a name.
pub(super) fn read(text: &str, is_random: fn(&str) -> bool) -> Vec<Login> {
    let mut logins = Vec::new();
    for found in IN_URL_PATTERN.captures_iter(text).take(LOOKED_AT_MAX) {
        let Some(login) = found.get(1) else { continue };
        let user = login.as_str().split(':').next().unwrap_or_default();
        let password = found.get(2).filter(|password| !is_made_up(user, password.as_str()));
        logins.push(Login { range: login.range(), password: password.map(|password| password.range()) });
    }
    for found in ALONE_PATTERN.captures_iter(text).take(LOOKED_AT_MAX) {
        let (Some(login), Some(user), Some(password)) = (found.get(1), found.get(2), found.get(3)) else { continue };
        if is_random(password.as_str()) && !announces_an_address(user.as_str()) {
            logins.push(Login { range: login.range(), password: Some(password.range()) });
        }
    }
    logins.sort_by_key(|login| login.range.start);
    logins
}

/// Passwords in manuals are words for passwords, the names of their users, or one sign again and again.
fn is_made_up(user: &str, password: &str) -> bool {
    let words: String = password.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let is_constant = password.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let mut signs: Vec<u8> = password.bytes().collect();
    signs.sort_unstable();
    signs.dedup();
    password.len() < PASSWORD_BYTES_MIN
        || password.starts_with(['$', '%'])
        || is_constant
        || signs.len() < 4
        || password.eq_ignore_ascii_case(user)
        || words.contains("password")
        || words.contains("passwd")
        || matches!(
            words.as_str(),
            "pass" | "passwort" | "pwd" | "secret" | "mysecret" | "token" | "apikey" | "key" | "credentials" | "hunter"
        )
}

fn announces_an_address(word: &str) -> bool {
    ["mailto", "email", "e-mail", "mail", "to", "from", "cc", "bcc", "contact", "sip", "xmpp", "acct", "user"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}
