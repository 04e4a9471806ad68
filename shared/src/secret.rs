//! The key of this store: what it signs and encrypts with. Made once, beside the database, for its owner only.
use std::{
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// At least as much as a SHA-256 MAC is worth.
const BYTES_MIN: usize = 32;
const NONCE_BYTES: usize = 24;

/// A text that the program was told and tells nobody: it does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Arc<str>);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}

impl std::str::FromStr for Hidden {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

impl std::ops::Deref for Hidden {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// A secret that never prints itself. Cheap to clone.
#[derive(Clone)]
pub struct SecretKey(Arc<[u8]>);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

impl SecretKey {
    /// A key that was handed to the program: at least 32 bytes.
    pub fn from_text(text: &str) -> anyhow::Result<Self> {
        ensure!(
            text.len() >= BYTES_MIN,
            "PROMPT_STORE_SECRET_KEY must have at least {BYTES_MIN} bytes, and has {}",
            text.len()
        );
        Ok(Self(text.as_bytes().into()))
    }

    /// Reads the key from `path`, or makes one there that only its owner may read.
    pub fn read_or_make(path: &Path) -> anyhow::Result<Self> {
        let cannot = |what: &str| format!("cannot {what} the secret key `{}`", path.display());
        // Made whole under another name first: whoever finds the file finds a whole key in it.
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        if !path.exists() {
            let text = new_key();
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)
                .with_context(|| cannot("make"))?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| cannot("write"))?;
            let linked = std::fs::hard_link(&draft, path);
            std::fs::remove_file(&draft).with_context(|| cannot("write"))?;
            match linked {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error).context(cannot("write")),
                _ => {}
            }
        }
        let text = std::fs::read_to_string(path).with_context(|| cannot("read"))?;
        let mode = std::fs::metadata(path).with_context(|| cannot("read"))?.permissions().mode();
        ensure!(mode & 0o077 == 0, "others may read the secret key `{}`: `chmod 600` it", path.display());
        Self::from_text(text.trim())
    }

    /// The MAC (HMAC-SHA256) of `message`, for one purpose only.
    #[must_use]
    pub fn mac(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        self.hmac(purpose, message).finalize().into_bytes().into()
    }

    /// Is `mac` the one of `message`? Takes the same time whatever the answer.
    #[must_use]
    pub fn verify(&self, purpose: &str, message: &[u8], mac: &[u8]) -> bool {
        self.hmac(purpose, message).verify_slice(mac).is_ok()
    }

    /// Encrypts what only this store shall read, for one purpose only. Twice the same is never the same text.
    #[must_use]
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> String {
        let nonce = rand::random::<[u8; NONCE_BYTES]>();
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("memory takes the text once more");
        BASE64_STANDARD_NO_PAD.encode([&nonce[..], &sealed].concat())
    }

    /// What was sealed for this purpose; none, if it was sealed with another key, for something else, or touched.
    #[must_use]
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = BASE64_STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.mac("encryption", &[]).into())
    }

    fn hmac(&self, purpose: &str, message: &[u8]) -> Hmac<Sha256> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        hmac.update(purpose.as_bytes());
        hmac.update(&[0]);
        hmac.update(message);
        hmac
    }
}

fn new_key() -> String {
    BASE64_STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let folder = std::env::temp_dir().join(format!("secret-{}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("store.key");
        let made = SecretKey::read_or_make(&path).unwrap();
        let found = SecretKey::read_or_make(&path).unwrap();
        assert_eq!(made.mac("test", b"x"), found.mac("test", b"x"));
        assert_ne!(made.mac("test", b"x"), made.mac("other", b"x"), "a MAC is good for one purpose");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(SecretKey::read_or_make(&path).unwrap_err().to_string().contains("chmod 600"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_key_for_its_purpose_untouched() {
        let (key, other) = ("k".repeat(32), "o".repeat(32));
        let (key, other) = (SecretKey::from_text(&key).unwrap(), SecretKey::from_text(&other).unwrap());
        let sealed = key.seal("a", b"secret");
        assert_eq!(key.open("a", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_ne!(key.seal("a", b"secret"), sealed);
        let mut touched = BASE64_STANDARD_NO_PAD.decode(&sealed).unwrap();
        *touched.last_mut().unwrap() ^= 1;
        let touched = BASE64_STANDARD_NO_PAD.encode(touched);
        assert_eq!((key.open("b", &sealed), other.open("a", &sealed), key.open("a", &touched)), (None, None, None));
        assert_eq!((key.open("a", ""), key.open("a", "!")), (None, None));
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_prints_itself() {
        assert!(SecretKey::from_text("short").is_err());
        let key = SecretKey::from_text(&"k".repeat(32)).unwrap();
        assert!(!format!("{key:?}").contains("kk"));
    }
}
