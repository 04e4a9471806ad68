//! Starting a process: opens what an [`App`] reaches, and says why not, in one sentence, if it cannot.
use std::{sync::Arc, time::Duration};

use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    cache::Cache,
    clock::Clock,
    config::{Mode, Settings},
    db::{CannotOpen, Db, Schema},
    error::{self, DAMAGED},
    http::{Outgoing, Service},
    jobs::Doorbell,
    llm::Services,
    memory::Memory,
    redis_client::{self, CannotConnect},
    search::Index,
    secret::{self, SecretKey, Standing},
    uses::UseCounter,
};

/// Why a command ended before its work was done. Each kind has its exit code, so that a supervisor can tell
/// what a restart will not mend.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The settings do not fit together.
    #[error("{0}")]
    Settings(String),
    /// The database cannot be opened, or its tables are not the ones this program knows.
    #[error("{0}")]
    Database(String),
    /// What the database holds is not what was written.
    #[error(
        "{0}. Stop whatever uses the database, move its files away, and restore a backup in its place: `prompt-store restore FILE`"
    )]
    Damaged(String),
    /// The database server or Redis does not answer: later they may.
    #[error("{0}")]
    Away(String),
    /// The address cannot be listened on.
    #[error("{0}")]
    Address(String),
    /// The file cannot be read.
    #[error("{0}")]
    Input(String),
    /// Some of the work was refused; what was said before tells which.
    #[error("{0}")]
    Refused(String),
    /// We are wrong.
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    /// The exit code, after those of `sysexits.h` where they fit.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Input(_) => 66,
            Self::Away(_) => 69,
            Self::Internal(_) => 70,
            Self::Address(_) => 71,
            Self::Database(_) => 73,
            Self::Damaged(_) => 74,
            Self::Settings(_) => 78,
        }
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Unavailable { code: DAMAGED, .. } => Self::Damaged(error.for_log()),
            crate::Error::Unavailable { .. } => Self::Away(error.for_log()),
            refusal if refusal.is_refusal() => Self::Refused(refusal.to_string()),
            internal => Self::Internal(internal.for_log()),
        }
    }
}

/// Whatever the store of documents is asked, it has so long.
const DOC_STORE_TIMEOUT: Duration = Duration::from_secs(15);

/// May the process bring the tables up to date, or must they be so already?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// The API and its commands.
    Allowed,
    /// Workers.
    Forbidden,
}

/// The database alone, its tables up to date.
pub async fn open_migrated(settings: &Settings) -> Result<Db, Failure> {
    open_database(settings, Migration::Allowed).await
}

/// The database alone, as it is; it must be one of this version.
pub async fn open_existing(settings: &Settings) -> Result<Db, Failure> {
    open_database(settings, Migration::Forbidden).await
}

/// Opens the store. With `REDIS_URL`, Redis must answer now; later it may come and go.
pub async fn open(settings: Settings, migration: Migration) -> Result<App, Failure> {
    let db = open_database(&settings, migration).await?;
    let (secret, is_new) = secret::open(&settings, &db).await?;
    let app = assemble(settings, db, secret).await?;
    if is_new {
        secret::adopt(&app).await?;
    }
    Ok(app)
}

/// Opens the store for who needs no secret: it may be another, or missing. Answers what is wrong with it, if anything is, and makes
/// none.
pub async fn open_without_secret(settings: Settings, migration: Migration) -> Result<(App, Option<String>), Failure> {
    let db = open_database(&settings, migration).await?;
    let (secret, complaint) = match secret::standing(&settings, &db).await {
        Ok(Standing::Right(secret)) => (Some(secret), None),
        Ok(Standing::Unknown(secret)) => (secret, None),
        Ok(Standing::Wrong(sentence)) | Err(Failure::Settings(sentence)) => (None, Some(sentence)),
        Err(failure) => return Err(failure),
    };
    Ok((assemble(settings, db, secret.unwrap_or_else(SecretKey::stand_in)).await?, complaint))
}

async fn assemble(settings: Settings, db: Db, secret: SecretKey) -> Result<App, Failure> {
    let redis = redis_client::open(&settings).map_err(|error| Failure::Settings(format!("{error:#}")))?;
    let doorbell = match redis {
        None => Doorbell::local(),
        Some(client) => {
            Doorbell::redis(&client, &settings.redis_prefix).await.map_err(|error| cannot_use_redis(&error))?
        }
    };
    let cache = Cache::open(&settings, &secret)
        .await
        .map_err(|error| Failure::Away(format!("Redis cannot be used to keep answers: {error:#}")))?;
    let http = Outgoing::new(&settings).map_err(|error| Failure::Internal(format!("{error:#}")))?;
    let llm = Services::new(&settings).map_err(|error| Failure::Settings(format!("{error:#}")))?;
    let doc_store = documents(&settings).map_err(|error| Failure::Settings(format!("DOC_STORE_URL: {error:#}")))?;
    let clock = Clock::System;
    let started_at = clock.now();
    let (settings, uses, search) = (Arc::new(settings), UseCounter::default(), Index::default());
    let memory = Memory::default();
    Ok(App { db, doorbell, clock, settings, http, llm, doc_store, secret, uses, memory, search, cache, started_at })
}

fn cannot_use_redis(error: &CannotConnect) -> Failure {
    let sentence = format!("Redis cannot be used: {error}. Start it, correct REDIS_URL, or unset it to run without");
    match error {
        CannotConnect::Away(_) => Failure::Away(sentence),
        CannotConnect::Setting(_) => Failure::Settings(format!("Redis cannot be used: {error}")),
    }
}

/// The store of documents, if there is one.
pub fn documents(settings: &Settings) -> anyhow::Result<Option<Service>> {
    let url = settings.doc_store_url.as_deref().filter(|url| !url.is_empty());
    url.map(|url| Service::new(url, DOC_STORE_TIMEOUT)).transpose()
}

async fn open_database(settings: &Settings, migration: Migration) -> Result<Db, Failure> {
    if migration == Migration::Forbidden && settings.db.file().is_some_and(|path| !path.exists()) {
        return Err(Failure::Database(format!(
            "there is no database `{}`; start `prompt-store` first, with the same PROMPT_STORE_DB",
            settings.db
        )));
    }
    let db = Db::open(settings).await.map_err(|error| match error {
        CannotOpen::Passing(sentence) => Failure::Away(sentence),
        CannotOpen::Lasting(sentence) => Failure::Database(sentence),
        CannotOpen::Setting(sentence) => Failure::Settings(sentence),
        CannotOpen::Damaged(sentence) => Failure::Damaged(sentence),
    })?;
    match (db.schema().await?, migration) {
        (Schema::Newer, _) => Err(Failure::Database(format!(
            "the database `{}` was made by a later version; use that version, or restore a backup from before it",
            settings.db
        ))),
        (Schema::Current, _) => Ok(db),
        (Schema::Empty | Schema::Older, Migration::Allowed) => {
            db.migrate(settings.copy_before_update).await.map_err(|error| Failure::Database(format!("{error:#}")))?;
            Ok(db)
        }
        (Schema::Empty | Schema::Older, Migration::Forbidden) => Err(Failure::Database(format!(
            "the tables of `{}` are not up to date; start `prompt-store` of this version first, or run \
             `prompt-store migrate`",
            settings.db
        ))),
    }
}

/// What is still being found out about the file of a database.
pub struct Inspection(Option<JoinHandle<error::Result<Option<String>>>>);

impl Inspection {
    /// Somebody else looks.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Looks through the whole file: what contradicts itself is not served. What takes longer than `patience` goes on while the
    /// store is served.
    pub async fn begin(app: &App, patience: Duration) -> Result<Self, Failure> {
        let db = app.db.clone();
        let mut looking = tokio::spawn(async move { db.fault().await });
        if let Ok(found) = tokio::time::timeout(patience, &mut looking).await {
            return damage(app, found).map_or(Ok(Self(None)), Err);
        }
        tracing::info!("the database is large: it is served while it is still looked through");
        Ok(Self(Some(looking)))
    }

    /// Ends only if something is found.
    async fn damage(self, app: &App) -> Failure {
        if let Some(looking) = self.0
            && let Some(damage) = damage(app, looking.await)
        {
            return damage;
        }
        std::future::pending().await
    }
}

fn damage(app: &App, found: Result<error::Result<Option<String>>, JoinError>) -> Option<Failure> {
    match found {
        Ok(Ok(fault)) => {
            fault.map(|fault| Failure::Damaged(format!("the database `{}` is damaged: {fault}", app.settings.db)))
        }
        Ok(Err(error)) => {
            tracing::warn!(error = error.for_log(), "the database could not be looked through");
            None
        }
        Err(error) => {
            tracing::error!(%error, "the database was not looked through to its end");
            None
        }
    }
}

/// How often a process looks whether the store is still the one it was started with.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// Watches the database until `shutdown`. If it is damaged, or a later version changes the tables so that this process no longer
/// knows what they mean, the process is told to stop, and why.
pub async fn watch(app: App, inspection: Inspection, shutdown: CancellationToken) -> Result<(), Failure> {
    let failure = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        failure = another_store(&app) => failure,
        failure = inspection.damage(&app) => failure,
    };
    shutdown.cancel();
    Err(failure)
}

/// Ends when this process must not go on. Where the file is gone from its place, reading goes on, and it is said once.
async fn another_store(app: &App) -> Failure {
    let mut was_in_place = true;
    loop {
        tokio::time::sleep(WATCH_INTERVAL).await;
        let is_in_place = app.db.is_in_place();
        if was_in_place && !is_in_place {
            let error = error::Error::moved(&app.settings.db);
            tracing::error!(
                error = error.for_log(),
                "nothing is written any more: put the file back, and start the store again"
            );
        }
        was_in_place = is_in_place;
        // A database that does not answer tells nothing.
        if let Ok(Schema::Newer) = app.db.schema().await {
            return Failure::Database(format!(
                "the tables of `{}` were changed by a later version while this one ran; start that version",
                app.settings.db
            ));
        }
        if secret::has_changed(app).await {
            return Failure::Settings(format!(
                "the store `{}` was given another secret while this process ran; start it with that one",
                app.settings.db
            ));
        }
    }
}

/// Says in one line how the work is shared.
#[must_use]
pub fn describe(app: &App) -> String {
    let jobs = match app.settings.mode() {
        Mode::Embedded => "works its jobs itself",
        Mode::Distributed => "leaves its jobs to `prompt-store-worker`, told through Redis",
    };
    format!("{}; {jobs}", app.db.describe())
}

/// A name no other process has or had: two workers of one name would hide each other's lost jobs.
#[must_use]
pub fn instance() -> String {
    format!("{}-{}", std::process::id(), ulid::Ulid::generate())
}

/// Cancelled at the first SIGTERM or SIGINT. At the second the process ends at once, which loses nothing.
#[must_use]
pub fn shutdown_on_signal() -> CancellationToken {
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        signalled().await;
        tracing::info!("stopping: running work is finished first");
        token.cancel();
        signalled().await;
        tracing::warn!("stopped at once");
        std::process::exit(130);
    });
    shutdown
}

async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
