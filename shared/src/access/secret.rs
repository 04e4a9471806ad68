//! The text of a key: `ps_`, its number, 256 random bits, and a checksum that tells a mistyped key from a wrong one and
//! lets scanners know a leaked key when they see one.
use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{id::KeyId, secret::SecretKey};

const PREFIX: &str = "ps_";
const NUMBER_CHARS: usize = 26;
const SECRET_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 8;
const CHARS: usize = PREFIX.len() + NUMBER_CHARS + 1 + SECRET_CHARS + 1 + CHECKSUM_CHARS;
/// What the digests of keys are made for.
const PURPOSE: &str = "api keys";

/// A key as its owner has it. It does not print itself.
pub struct KeyText {
    id: KeyId,
    text: String,
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(…)")
    }
}

impl KeyText {
    /// A new one.
    pub(super) fn generate(id: KeyId) -> Self {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let number = id.to_string();
        let number = number.rsplit('_').next().unwrap_or_default();
        let body = format!("{PREFIX}{number}_{secret}");
        let text = format!("{body}_{}", checksum(&body));
        Self { id, text }
    }

    /// Reads what may be a key. Nothing, if it cannot be one, which takes no look at the store.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() != CHARS || !text.is_ascii() {
            return None;
        }
        let (body, sum) = text.rsplit_once('_')?;
        if sum != checksum(body) {
            return None;
        }
        let number = body.strip_prefix(PREFIX)?.get(..NUMBER_CHARS)?;
        let id = format!("key_{number}").parse().ok()?;
        Some(Self { id, text: text.to_owned() })
    }

    /// Which key it says it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn reveal(self) -> String {
        self.text
    }

    /// What the store keeps of it. A slow hash would not make 256 random bits safer, and would make every request slow.
    pub(super) fn digest(&self, store: &SecretKey) -> String {
        store.mac(PURPOSE, self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_key_is_read_back_and_says_which_it_is() {
        let id = KeyId::generate(Timestamp::from_millis(1_767_225_600_000));
        let text = KeyText::generate(id).reveal();
        assert_eq!(text.len(), CHARS);
        assert_eq!(KeyText::read(&text).unwrap().id(), id);
        assert_ne!(KeyText::generate(id).reveal(), text, "the secret is random");
    }

    #[test]
    fn a_key_with_any_other_letter_is_none() {
        let id = KeyId::generate(Timestamp::from_millis(1_767_225_600_000));
        let text = KeyText::generate(id).reveal();
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            assert!(KeyText::read(&String::from_utf8(other).unwrap()).is_none(), "{at}");
        }
        for none in ["", "ps_", "Bearer", &text[1..], &format!("{text}x"), &"ü".repeat(CHARS / 2)] {
            assert!(KeyText::read(none).is_none(), "{none}");
        }
        assert!(!format!("{:?}", KeyText::read(&text)).contains(&text[30..60]));
    }
}
