//! Standard Webhooks: what a secret looks like, and how a message is signed with it. The scheme is one HMAC, so the crate
//! of that name would only bring a second implementation of SHA-256 and a clock that tests cannot move.
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{clock::Timestamp, error::Violation};

const PREFIX: &str = "whsec_";
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What a receiver and the store know, and nobody else. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// A new one.
    pub(super) fn generate() -> Self {
        Self(rand::random::<[u8; 32]>().into())
    }

    /// One that somebody has chosen.
    pub(super) fn read(text: &str) -> Result<Self, Violation> {
        let bytes = text.strip_prefix(PREFIX).and_then(|text| BASE64_STANDARD.decode(text).ok());
        bytes.filter(|bytes| BYTES.contains(&bytes.len())).map(Self).ok_or_else(|| {
            let detail = "`secret` must be `whsec_` and 24 to 64 random bytes in base64; leave it out to be given one";
            Violation::new("/secret", "pattern", detail)
        })
    }

    /// As receivers are told it.
    pub(super) fn text(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }

    fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        hmac.update(format!("{id}.{}.", seconds(at)).as_bytes());
        hmac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(hmac.finalize().into_bytes()))
    }
}

/// The moment of an attempt, as the header tells it.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

/// The header that proves who sent a message: a signature for every secret that is good now.
pub(super) fn signatures(secrets: &[Secret], id: &str, at: Timestamp, body: &[u8]) -> String {
    secrets.iter().map(|secret| secret.sign(id, at, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_standard_says() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_millis(1_614_265_330_000);
        let signed = signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_read_as_it_is_told_and_has_enough_bytes() {
        let secret = Secret::generate();
        assert!(Secret::read(&secret.text()).unwrap() == secret);
        let short = format!("whsec_{}", BASE64_STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", BASE64_STANDARD.encode([7; 65]));
        for text in ["", "whsec_", "secret", "whsec_!!!", &short, &long, &secret.text()[6..]] {
            assert!(Secret::read(text).is_err(), "{text}");
        }
    }
}
