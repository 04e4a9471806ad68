//! `prompt-store keys`: who may ask, managed on the machine of the store.
use clap::{Args, Subcommand};
use shared::{
    App, Caller,
    access::{self, Key, NewKey},
    caller::Scope,
    clock::Timestamp,
    id::KeyId,
    page::PageRequest,
    start::Failure,
};

use super::{print, say};

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
    Create {
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
    },
    /// List keys, newest first.
    List,
    /// Take a key back.
    Revoke {
        /// The key: `key_…`
        id: KeyId,
    },
}

impl Keys {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let done = self.command.run(&app).await;
        app.db.close().await;
        done
    }
}

impl Command {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let caller = Caller::system("operator");
        match self {
            Self::Create { name, scopes, folders, labels, default_label, expires_at } => {
                let new = NewKey { name, scopes, folders, labels, default_label, expires_at };
                let made = access::create(app, &caller, new).await?;
                print(&format!("{}\n", made.text.unwrap_or_default()));
                say(&format!("{} is shown this once. Send it as `Authorization: Bearer …`", made.key.id));
            }
            Self::List => {
                let page = access::list(app, &PageRequest::new(Some(LIST_MAX), None, None)?).await?;
                page.items.iter().for_each(|key| print(&line(key)));
            }
            Self::Revoke { id } => {
                access::revoke(app, &caller, id).await?;
                say(&format!("{id} is refused from now on, within a second everywhere"));
            }
        }
        Ok(())
    }
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
