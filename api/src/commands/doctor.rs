//! `prompt-store doctor`: looks at whatever a store needs, and says what to do about what is wrong.
use std::{fmt::Display, time::Duration};

use shared::{
    App, Caller, access, audit,
    clock::Clock,
    config::Settings,
    health::{self, Status},
    jobs::Doorbell,
    page::PageRequest,
    prompts, redis_client,
    secret::{self, Standing},
    start::{self, Failure, Migration},
    versions,
};

use super::print;
use crate::config::Edge;

/// Keys that end so soon are named.
const SOON: Duration = Duration::from_hours(14 * 24);
/// Clocks of machines differ by less.
const CLOCK_SLACK: Duration = Duration::from_mins(1);
const KEYS_MAX: i64 = 1000;
const RESTORE: &str = "restore a backup beside it, with `prompt-store restore`, and compare";

/// What was found so far.
#[derive(Default)]
struct Findings {
    wrong: usize,
}

impl Findings {
    fn say(&mut self, what: &str, found: Result<impl Display, impl Display>) {
        match found {
            Ok(well) => print(&format!("ok     {what}: {well}\n")),
            Err(wrong) => {
                self.wrong += 1;
                print(&format!("WRONG  {what}: {wrong}\n"));
            }
        }
    }
}

pub(super) async fn run(settings: Settings, edge: &Edge) -> Result<(), Failure> {
    let mut findings = Findings::default();
    findings.say("settings", edge.check().map(|()| "they fit together"));
    findings.say("redis", redis(&settings).await);
    match open(settings).await {
        Ok(app) => {
            findings.say("tables", Ok::<_, Failure>(format!("of this version, in {}", app.db.describe())));
            findings.say("secret", secret(&app).await);
            look(&app, edge, &mut findings).await;
            app.db.close().await;
        }
        Err(failure) => findings.say("tables", Err::<&str, _>(format!("{failure}; nothing else could be looked at"))),
    }
    match findings.wrong {
        0 => Ok(()),
        1 => Err(Failure::Refused("one thing is wrong".to_owned())),
        several => Err(Failure::Refused(format!("{several} things are wrong"))),
    }
}

/// The store as it is, whether or not Redis answers, and whatever its secret is.
async fn open(mut settings: Settings) -> Result<App, Failure> {
    settings.redis_url = None;
    start::open_without_secret(settings, Migration::Forbidden).await.map(|(app, _)| app)
}

async fn secret(app: &App) -> Result<String, String> {
    match secret::standing(&app.settings, &app.db).await {
        Ok(Standing::Right(secret)) => Ok(format!("it is the store's, with the fingerprint {}", secret.fingerprint())),
        Ok(Standing::Unknown(_)) => Ok("the store learns it when it is next served".to_owned()),
        Ok(Standing::Wrong(sentence)) => Err(sentence),
        Err(failure) => Err(failure.to_string()),
    }
}

async fn redis(settings: &Settings) -> Result<String, String> {
    let Some(client) = redis_client::open(settings).map_err(|error| format!("{error:#}"))? else {
        return Ok("not used: jobs are worked in the process of the API".to_owned());
    };
    let bell = Doorbell::redis(&client, &settings.redis_prefix).await;
    let bell = bell.map_err(|error| format!("{error}; start it, correct REDIS_URL, or unset it to run without"))?;
    match bell.attempt().await {
        Ok(wait) => Ok(format!(
            "it answers within {:.1} ms, and does what workers ask of it",
            wait.unwrap_or_default().as_secs_f64() * 1e3
        )),
        Err(trouble) => Err(trouble.to_string()),
    }
}

async fn look(app: &App, edge: &Edge, findings: &mut Findings) {
    let health = health::check(app).await;
    for what in ["database", "disk", "queue"] {
        let check = &health.checks[what];
        let is_well = check.status == Status::Healthy;
        findings.say(what, if is_well { Ok(&check.detail) } else { Err(&check.detail) });
    }
    findings.say("data", data(app).await);
    findings.say("texts", texts(app).await);
    findings.say("names", names(app).await);
    findings.say("clock", clock(app).await);
    findings.say("search index", index(app).await);
    findings.say("audit log", audit_log(app).await);
    findings.say("administrators", administrators(app, edge).await);
    findings.say("keys", keys(app).await);
}

async fn data(app: &App) -> Result<String, String> {
    if let Some(fault) = app.db.fault().await.map_err(|error| error.to_string())? {
        return Err(format!("the file is damaged: {fault}; {RESTORE}"));
    }
    let mut versions = 0;
    let damaged = versions::damaged(&app.db, |seen| versions = seen).await.map_err(|error| error.to_string())?;
    match damaged.as_slice() {
        [] => Ok(format!("{versions} versions are as they were written")),
        [first, ..] => {
            Err(format!("{} versions are not what was written, {first} is the first; {RESTORE}", damaged.len()))
        }
    }
}

/// Earlier versions let into a file what no server can keep.
async fn texts(app: &App) -> Result<String, String> {
    let found = app.db.texts_with_nul().await.map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Ok("every engine can keep them".to_owned());
    }
    let places: Vec<String> =
        found.iter().map(|(table, column, count)| format!("{count} in {table}.{column}")).collect();
    Err(format!(
        "some hold the character U+0000, which no text may: {}; `prompt-store copy` into another database writes U+FFFD \
         in its place",
        places.join(", ")
    ))
}

/// Earlier versions gave names that no address leads to.
async fn names(app: &App) -> Result<String, String> {
    let found = prompts::unreachable_names(app).await.map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Ok("addresses lead to all of them".to_owned());
    }
    Err(format!(
        "clients cannot ask for these by name: {}; rename them by their ids with `PUT /api/v1/prompts/{{id}}`, or take \
         the label away",
        found.join(", ")
    ))
}

/// A clock that was set back makes everything that waits wait longer.
async fn clock(app: &App) -> Result<String, String> {
    let last = PageRequest::new(Some(1), None, None).map_err(|error| error.to_string())?;
    let page = audit::list(app, &audit::AuditFilter::default(), &last).await.map_err(|error| error.to_string())?;
    let now = Clock::System.now();
    match page.items.first().map(|row| row.at) {
        Some(last) if last > now + CLOCK_SLACK => {
            Err(format!("it is {now} here, and something was written at {last}; set the clocks of all machines by NTP"))
        }
        _ => Ok(format!("it is {now}")),
    }
}

async fn index(app: &App) -> Result<String, String> {
    let checked =
        prompts::check(app, &Caller::system("doctor"), false, |_| {}).await.map_err(|error| error.to_string())?;
    let wrong = checked.faults.len() + checked.wrong.len();
    match wrong {
        0 => Ok(format!("{} prompts are in it as they are", checked.prompts)),
        wrong => Err(format!("{wrong} faults in {} prompts; `prompt-store check` mends them", checked.prompts)),
    }
}

async fn audit_log(app: &App) -> Result<String, String> {
    let verified = audit::verify(app, |_| {}).await.map_err(|error| error.to_string())?;
    match verified.fault {
        None => Ok(format!("{} rows are as they were sealed", verified.rows)),
        Some(fault) => Err(format!("it was changed: {fault}; compare it with a backup, and find out who has the file")),
    }
}

async fn administrators(app: &App, edge: &Edge) -> Result<String, String> {
    let known = access::any_administrator(&app.db, Clock::System.now()).await.map_err(|error| error.to_string())?;
    match (edge.refuse_without_administrator(app.settings.env), known) {
        (Err(refusal), false) => Err(refusal),
        _ if edge.is_open(app.settings.env) => Ok("none is needed: only this machine can connect".to_owned()),
        _ => Ok("there is one".to_owned()),
    }
}

/// A key that ends unawares stops whoever has it.
async fn keys(app: &App) -> Result<String, String> {
    let all = PageRequest::new(Some(KEYS_MAX), None, None).map_err(|error| error.to_string())?;
    let now = Clock::System.now();
    let page = access::list(app, &all).await.map_err(|error| error.to_string())?;
    let lasting = page.items.iter().filter(|key| key.revoked_at.is_none());
    let ending: Vec<&str> = lasting
        .filter(|key| key.expires_at.is_some_and(|end| now < end && end < now + SOON))
        .map(|key| key.name.as_str())
        .collect();
    match ending.as_slice() {
        [] => Ok(format!("{} of them, and none ends within two weeks", page.total)),
        names => Err(format!(
            "these end within two weeks: {}; `POST /api/v1/keys/{{id}}/rotate` follows them",
            names.join(", ")
        )),
    }
}
