//! Which secret a store belongs to. It keeps a fingerprint of the secret it was first used with, and is not served with another:
//! no key of the API would work, and no secret of a webhook could be read.
use std::path::PathBuf;

use super::{SecretKey, repository};
use crate::{
    app::App,
    caller::Caller,
    config::Settings,
    db::{Db, Location, Tx},
    error::Result,
    start::Failure,
};

/// What the secrets of webhooks are sealed for.
pub const WEBHOOKS: &str = "webhook secrets";

/// How the secret that a process was given stands against its store.
#[derive(Debug)]
pub enum Standing {
    /// It is the store's.
    Right(SecretKey),
    /// The store belongs to none yet: to this one, if there is one, or to one that is yet to be made.
    Unknown(Option<SecretKey>),
    /// It is another, or missing: one sentence, with the way out.
    Wrong(String),
}

/// What was made with a secret, and is lost with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Keys of the API that had not been taken back.
    pub keys: i64,
    /// Webhooks whose secret must be made anew.
    pub webhooks: i64,
}

/// Compares, and changes nothing.
pub async fn standing(settings: &Settings, db: &Db) -> Result<Standing, Failure> {
    let given = given(settings)?;
    let mut conn = db.read().await?;
    let known = repository::fingerprint(&mut conn).await?;
    let (known, given) = match (known, given) {
        (Some(known), Some(given)) if given.fingerprint() == known => return Ok(Standing::Right(given)),
        (Some(known), Some(given)) => (Some(known), given),
        (Some(_), None) => return Ok(Standing::Wrong(missing(settings))),
        // Made before stores knew their secret.
        (None, given) => {
            let sealed = repository::sealed(&mut conn).await?;
            let is_used = !sealed.is_empty() || repository::keys(&mut conn).await? > 0;
            match given {
                None if is_used => return Ok(Standing::Wrong(missing(settings))),
                Some(given) if !sealed.is_empty() && !sealed.iter().any(|it| given.open(WEBHOOKS, it).is_some()) => {
                    (None, given)
                }
                given => return Ok(Standing::Unknown(given)),
            }
        }
    };
    Ok(Standing::Wrong(other(settings, known.as_deref(), &given)))
}

/// The secret of the store, and whether the store has yet to be told. A secret is made for a store that has none.
pub(crate) async fn open(settings: &Settings, db: &Db) -> Result<(SecretKey, bool), Failure> {
    match standing(settings, db).await? {
        Standing::Right(secret) => Ok((secret, false)),
        Standing::Unknown(Some(secret)) => Ok((secret, true)),
        Standing::Unknown(None) => Ok((given_or_made(settings)?, true)),
        Standing::Wrong(sentence) => Err(Failure::Settings(sentence)),
    }
}

/// Tells the store which secret it belongs to. Of two processes with different ones that do so at once, the second is refused.
pub(crate) async fn adopt(app: &App) -> Result<(), Failure> {
    let adopted = async {
        let mut tx = app.begin(&Caller::system("start")).await?;
        let now = tx.now();
        repository::adopt(&mut tx, &app.secret.fingerprint(), now).await?;
        tx.commit().await
    };
    match adopted.await {
        // The disk is full, perhaps. Whoever starts next can do it.
        Err(error) if error.is_transient() => {
            tracing::warn!(error = error.for_log(), "could not write down which secret the store belongs to");
            return Ok(());
        }
        adopted => adopted?,
    }
    match standing(&app.settings, &app.db).await? {
        Standing::Wrong(sentence) => Err(Failure::Settings(sentence)),
        Standing::Right(_) | Standing::Unknown(_) => Ok(()),
    }
}

/// Does the store belong to another secret by now than the one this process began with?
pub(crate) async fn has_changed(app: &App) -> bool {
    let known = async { repository::fingerprint(&mut app.db.read().await?).await };
    // A database that does not answer tells nothing.
    matches!(known.await, Ok(Some(known)) if known != app.secret.fingerprint())
}

/// What would be lost, if the store were to belong to another secret.
pub async fn at_stake(db: &Db) -> Result<Lost> {
    let mut conn = db.read().await?;
    let (keys, webhooks) = (repository::keys(&mut conn).await?, repository::sealed(&mut conn).await?.len());
    Ok(Lost { keys, webhooks: i64::try_from(webhooks).unwrap_or(i64::MAX) })
}

/// From now on the store belongs to this secret.
pub(crate) async fn replace(tx: &mut Tx, secret: &SecretKey) -> Result<()> {
    let now = tx.now();
    repository::replace(tx, &secret.fingerprint(), now).await
}

/// The secret that the settings name; one is made, if that is a file which is not there.
pub fn given_or_made(settings: &Settings) -> Result<SecretKey, Failure> {
    if let Some(given) = given(settings)? {
        return Ok(given);
    }
    let Some(path) = key_file(settings) else { return Err(not_set()) };
    SecretKey::read_or_make(&path).map_err(|error| Failure::Settings(format!("{error:#}")))
}

/// Where the secret of a store in a file lies, unless it is given as a variable.
#[must_use]
pub fn key_file(settings: &Settings) -> Option<PathBuf> {
    settings.db.file().map(|path| path.with_extension("key"))
}

fn given(settings: &Settings) -> Result<Option<SecretKey>, Failure> {
    let read = match settings.secret_key.as_deref().filter(|key| !key.is_empty()) {
        Some(text) => SecretKey::from_text(text).map(Some),
        None => match &settings.db {
            Location::File(path) => SecretKey::read(&path.with_extension("key")),
            Location::Server(_) => return Err(not_set()),
        },
    };
    read.map_err(|error| Failure::Settings(format!("{error:#}")))
}

fn not_set() -> Failure {
    Failure::Settings(
        "PROMPT_STORE_SECRET_KEY is not set, and with PostgreSQL every process must be given the same: a secret of \
         at least 32 bytes (`openssl rand -hex 32` makes one)"
            .to_owned(),
    )
}

const WITHOUT: &str = "Without it no API key works, and no secret of a webhook can be read";
const IF_LOST: &str =
    "If it is lost for good, `prompt-store keys adopt-secret` says what is lost with it and goes on with a new one";

fn missing(settings: &Settings) -> String {
    let file = key_file(settings).unwrap_or_default();
    format!(
        "the secret of the store `{}` is missing: there is no `{}`, and PROMPT_STORE_SECRET_KEY is not set. {WITHOUT}. Put \
         the key file back from where its copy is kept. {IF_LOST}",
        settings.db,
        file.display()
    )
}

fn other(settings: &Settings, known: Option<&str>, given: &SecretKey) -> String {
    let right = match key_file(settings) {
        Some(file) if settings.secret_key.is_none() => format!("Put the store's own key into `{}`", file.display()),
        Some(file) => {
            format!("Give it the store's own PROMPT_STORE_SECRET_KEY, or unset it to use `{}`", file.display())
        }
        None => "Give every process the store's own PROMPT_STORE_SECRET_KEY".to_owned(),
    };
    let store = known.map_or(String::new(), |known| format!("the store's has the fingerprint {known}, "));
    format!(
        "the secret this process was given is not the one of the store `{}` ({store}this one {}). {WITHOUT}. {right}. {IF_LOST}",
        settings.db,
        given.fingerprint()
    )
}
