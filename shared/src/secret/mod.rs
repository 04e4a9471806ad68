//! The key of this store: what it signs and encrypts with. Made once, beside the database, for its owner only.
mod of_store;
mod repository;

use std::{
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::output::Target;

pub use of_store::{Lost, Standing, WEBHOOKS, at_stake, given_or_made, key_file, standing};
pub(crate) use of_store::{adopt, has_changed, open, replace};

/// At least as much as a SHA-256 MAC is worth.
const BYTES_MIN: usize = 32;
const NONCE_BYTES: usize = 24;
/// As much of a MAC as tells one secret from another, and nothing of the secret.
const FINGERPRINT_BYTES: usize = 8;

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

    /// A key for a process that must open a store without its secret. Nothing that is made with it lasts.
    #[must_use]
    pub fn stand_in() -> Self {
        Self(new_key().into_bytes().into())
    }

    /// The key in a file that only its owner may read; nothing, if there is no file.
    pub fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let cannot = || format!("cannot read the secret key `{}`", path.display());
        let found = match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            found => found.with_context(cannot)?,
        };
        ensure!(found.is_file(), "the secret key `{}` is no regular file", path.display());
        let text = std::fs::read_to_string(path).with_context(cannot)?;
        let mode = found.permissions().mode();
        ensure!(mode & 0o077 == 0, "others may read the secret key `{}`: `chmod 600` it", path.display());
        Self::from_text(text.trim()).with_context(cannot).map(Some)
    }

    /// Reads the key from `path`, or makes one there that only its owner may read.
    pub fn read_or_make(path: &Path) -> anyhow::Result<Self> {
        if let Some(key) = Self::read(path)? {
            return Ok(key);
        }
        let cannot = || format!("cannot make the secret key `{}`", path.display());
        let target = Target::of(path).with_context(cannot)?;
        let Some(place) = target.file() else { bail!("{}: it is no regular file", cannot()) };
        // Made whole under another name first: whoever finds the file finds a whole key in it.
        let draft = place.with_added_extension(format!("{}.draft", std::process::id()));
        let _ = std::fs::remove_file(&draft);
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).with_context(cannot)?;
        let linked = file
            .write_all(new_key().as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::hard_link(&draft, place));
        std::fs::remove_file(&draft).with_context(cannot)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error).with_context(cannot),
            _ => {}
        }
        Self::read(path)?.with_context(cannot)
    }

    /// What tells this key from another: 16 hexadecimal digits, which tell nothing of the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.mac("fingerprint", &[])[..FINGERPRINT_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
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
        assert_eq!((made.fingerprint(), made.fingerprint().len()), (found.fingerprint(), 16));
        assert_ne!(made.fingerprint(), SecretKey::stand_in().fingerprint());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(SecretKey::read_or_make(&path).unwrap_err().to_string().contains("chmod 600"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_key_is_made_where_a_link_leads_and_read_from_nothing_but_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(SecretKey::read(&at("store.key")).unwrap().is_none());
        std::fs::create_dir(at("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere/key", at("store.key")).unwrap();
        let made = SecretKey::read_or_make(&at("store.key")).unwrap();
        assert!(std::fs::symlink_metadata(at("store.key")).unwrap().is_symlink());
        let found = SecretKey::read(&at("elsewhere/key")).unwrap().unwrap();
        assert_eq!(made.fingerprint(), found.fingerprint());
        assert_eq!(std::fs::read_dir(at("elsewhere")).unwrap().count(), 1, "no draft is left");
        assert!(SecretKey::read_or_make(&at("elsewhere")).unwrap_err().to_string().contains("no regular file"));
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
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "short").unwrap();
        assert!(format!("{:#}", SecretKey::read(file.path()).unwrap_err()).contains(file.path().to_str().unwrap()));
        let key = SecretKey::from_text(&"k".repeat(32)).unwrap();
        assert!(!format!("{key:?}").contains("kk"));
    }
}
