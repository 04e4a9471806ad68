//! `prompt-store keys`: who may ask, managed on the machine of the store.
use clap::{Args, Subcommand};
use shared::{
    App, Caller,
    access::{self, Key, NewKey},
    caller::Scope,
    clock::Timestamp,
    config::Settings,
    id::KeyId,
    page::PageRequest,
    secret::{self, Standing},
    start::{self, Failure, Migration},
};

use super::{open, open_without_secret, print, say};

/// A list on a terminal is not longer.
const LIST_MAX: i64 = 1000;

#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key, and print it: the only time that it can be read.
    Create(Create),
    /// List keys, newest first.
    List,
    /// Take a key back.
    Revoke {
        /// The key: `key_…`
        id: KeyId,
    },
    /// Go on with another secret of the store, where its own is lost for good; say what is lost with it.
    AdoptSecret {
        /// Do it: every key of the API is taken back, and webhooks need new secrets.
        #[arg(long)]
        accept_loss: bool,
    },
}

#[derive(Args)]
struct Create {
    /// Who or what will have it.
    #[arg(long)]
    name: String,
    /// What it may do; say it again for another: `prompts:read`, `prompts:write`, `prompts:publish`, `bulk`,
    /// `webhooks`, `analytics`, `experiments`, `metrics`, `admin`.
    #[arg(long = "scope", required = true)]
    scopes: Vec<Scope>,
    /// A category it is for, `writing/blog`, or `writing/*` for all below; left out: all.
    #[arg(long = "folder")]
    folders: Vec<String>,
    /// A label it may read by and move; left out: all.
    #[arg(long = "label")]
    labels: Vec<String>,
    /// What a read by name serves that says neither label nor version.
    #[arg(long)]
    default_label: Option<String>,
    /// When it ends: `2027-01-31T00:00:00Z`; left out: never.
    #[arg(long)]
    expires_at: Option<Timestamp>,
}

impl From<Create> for NewKey {
    fn from(new: Create) -> Self {
        let Create { name, scopes, folders, labels, default_label, expires_at } = new;
        Self { name, scopes, folders, labels, default_label, expires_at }
    }
}

impl Keys {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let app = match self.command {
            // It makes what the secret is for.
            Command::Create(_) => open(settings).await?,
            Command::List | Command::Revoke { .. } => open_without_secret(settings).await?,
            Command::AdoptSecret { .. } => start::open_without_secret(settings, Migration::Forbidden).await?.0,
        };
        let db = app.db.clone();
        let done = match self.command {
            Command::Create(new) => create(&app, new.into()).await,
            Command::List => list(&app).await,
            Command::Revoke { id } => revoke(&app, id).await,
            Command::AdoptSecret { accept_loss } => adopt_secret(app, accept_loss).await,
        };
        db.close().await;
        done
    }
}

async fn create(app: &App, new: NewKey) -> Result<(), Failure> {
    let made = access::create(app, &Caller::system("operator"), new).await?;
    print(&format!("{}\n", made.text.unwrap_or_default()));
    say(&format!("{} is shown this once. Send it as `Authorization: Bearer …`", made.key.id));
    Ok(())
}

async fn list(app: &App) -> Result<(), Failure> {
    let page = access::list(app, &PageRequest::new(Some(LIST_MAX), None, None)?).await?;
    page.items.iter().for_each(|key| print(&line(key)));
    Ok(())
}

async fn revoke(app: &App, id: KeyId) -> Result<(), Failure> {
    access::revoke(app, &Caller::system("operator"), id).await?;
    say(&format!("{id} is refused from now on, within a second everywhere"));
    Ok(())
}

/// A start refuses another secret than the store's, and this is the way out where that is lost.
async fn adopt_secret(mut app: App, accept_loss: bool) -> Result<(), Failure> {
    if !matches!(secret::standing(&app.settings, &app.db).await?, Standing::Wrong(_)) {
        say("The secret is the store's; nothing is lost, and nothing was changed");
        return Ok(());
    }
    let stake = secret::at_stake(&app.db).await?;
    let lost = format!("{} keys of the API, and the secrets of {} webhooks", stake.keys, stake.webhooks);
    if !accept_loss {
        return Err(Failure::Refused(format!(
            "with the secret of the store are lost: {lost}. If no copy of it can be found, go on with \
             `prompt-store keys adopt-secret --accept-loss`; nothing was changed"
        )));
    }
    app.secret = secret::given_or_made(&app.settings)?;
    access::adopt_secret(&app, &Caller::system("operator")).await?;
    say(&format!("The store goes on with another secret. Lost are {lost}"));
    say(
        "Make new keys (`prompt-store keys create`), and give each webhook a new secret (`POST /api/v1/webhooks/{id}/rotate-secret`)",
    );
    Ok(())
}

fn line(key: &Key) -> String {
    let scopes: Vec<String> = key.scopes.iter().map(Scope::to_string).collect();
    let ended = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("taken back {at}"),
        (None, Some(at)) => format!("until {at}"),
        (None, None) => "no end".to_owned(),
    };
    let used = key.last_used_at.map_or("never used".to_owned(), |at| format!("last used {at}"));
    format!("{}\t{}\t{}\t{ended}\t{used}\n", key.id, key.name, scopes.join(","))
}
