//! Which arm a unit gets.
use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AbTestStatus,
    assign::{self, Assignment},
    exposures::{self, Exposure},
    model::{Audience, TestRow, Variant},
    repository, service,
};
use crate::{
    app::App,
    cache::{Keep, Keepable, Key, Mark},
    caller::Caller,
    db::{Conn, Tx},
    error::{Error, Result, Violation},
    id::{AbTestId, PromptId},
    prompts::{self, LifecycleStatus, Prompt, Selector, ServedVersion},
};

/// The most characters of a unit's id.
pub const UNIT_CHARS_MAX: usize = 256;

/// Who asks: the one of these that is given, the user first, is the unit of the test.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// A user.
    pub user_id: Option<String>,
    /// A session.
    pub session_id: Option<String>,
}

impl Subject {
    /// The unit, if one was given.
    pub fn unit(&self) -> Result<Option<&str>> {
        let mut violations = Vec::new();
        for (id, field) in [(&self.user_id, "user_id"), (&self.session_id, "session_id")] {
            violations.extend(id.as_deref().and_then(|id| check_unit(id, &format!("/{field}")).err()));
        }
        match violations.is_empty() {
            true => Ok(self.user_id.as_deref().or(self.session_id.as_deref())),
            false => Err(Error::from_violations(violations)),
        }
    }
}

/// Refuses what is no id of a unit.
pub(super) fn check_unit(id: &str, pointer: &str) -> Result<(), Violation> {
    if (1..=UNIT_CHARS_MAX).contains(&id.chars().count()) && !id.chars().any(char::is_control) {
        return Ok(());
    }
    let field = pointer.rsplit('/').next().unwrap_or(pointer);
    let detail = format!("`{field}` must be 1 to {UNIT_CHARS_MAX} characters, without control characters");
    Err(Violation::new(pointer, "invalid", detail))
}

/// What is known of the request besides: parameters by name.
pub type Context = BTreeMap<String, String>;

/// How a test decided what is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Experiment {
    /// The test.
    pub test_id: AbTestId,
    /// The arm.
    pub variant: String,
    /// The unit: give it with outcomes and usage events.
    pub unit_id: String,
    /// Will the unit get this arm again? Not if it had to be made up, and not if it does not take part: it may later, with
    /// another arm.
    pub sticky: bool,
    /// Does the unit take part? Not outside the audience or the coverage, not anew while the test is paused or one of its arms
    /// cannot be shown, and not if its own arm cannot be.
    pub exposed: bool,
}

/// The arm of a unit, with its prompt.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Selection {
    /// Who got what.
    #[serde(flatten)]
    pub experiment: Experiment,
    /// The prompt of the arm.
    pub selected_prompt: Prompt,
    /// Which version it is, and why.
    pub served: ServedVersion,
}

/// Chooses the arm of a unit: always the same for the same unit. `force` names an arm to look at, without taking part.
/// Who does not take part, or has an arm that cannot be shown any more, gets the control. 409 `variant-unavailable`, if
/// what would be shown cannot be.
pub async fn select(
    app: &App,
    caller: &Caller,
    id: AbTestId,
    subject: &Subject,
    context: &Context,
    force: Option<&str>,
) -> Result<Selection> {
    caller.must_reach_everything(service::OF_ALL)?;
    let given = subject.unit()?;
    let test = kept(app, id).await?;
    match test.status {
        AbTestStatus::Draft => {
            let detail = "the test has not begun; start it with `POST /ab-tests/{id}/start`";
            return Err(Error::conflict("not-started", detail));
        }
        AbTestStatus::Completed => return Err(service::ended(&test)),
        AbTestStatus::Running | AbTestStatus::Paused => {}
    }
    let made_up = format!("anonymous-{}", crate::id::request_id());
    let unit_id = given.unwrap_or(&made_up);
    let forced = match force {
        Some(name) => {
            let unknown = || Error::invalid("/force", "unknown-variant", format!("the test has no variant `{name}`"));
            Some(test.arm(name).ok_or_else(unknown)?)
        }
        None => None,
    };
    if forced.is_none() {
        while let Some(offer) = offer_of(app, &test, unit_id, context).await? {
            if accept(app, caller, &offer).await? {
                let sticky = given.is_some();
                let experiment = Experiment { sticky, ..offer.experiment };
                return Ok(selection(app, experiment, &offer.prompt, &offer.selector));
            }
        }
    }
    let variant = test.variants().get(forced.unwrap_or(0)).ok_or_else(|| Error::internal("a test without arms"))?;
    let (prompt, selector) = match shown(app, variant).await {
        Ok(found) => found,
        Err(error) if is_gone(&error) => return Err(unavailable(variant, &error)),
        Err(error) => return Err(error),
    };
    let experiment = experiment(&test, variant, unit_id, false);
    Ok(selection(app, experiment, &prompt, &selector))
}

fn unavailable(variant: &Variant, why: &Error) -> Error {
    let detail = format!(
        "variant `{}` cannot be shown: {why}; put its prompt back, or complete the test with `POST /ab-tests/{{id}}/complete`",
        variant.name
    );
    Error::conflict("variant-unavailable", detail)
}

fn selection(app: &App, experiment: Experiment, prompt: &Prompt, selector: &Selector) -> Selection {
    app.uses.add(prompt.id, prompt.version, 1);
    Selection { experiment, selected_prompt: prompt.clone(), served: ServedVersion::of(prompt, selector) }
}

fn experiment(test: &TestRow, variant: &Variant, unit_id: &str, exposed: bool) -> Experiment {
    let (variant, unit_id) = (variant.name.clone(), unit_id.to_owned());
    Experiment { test_id: test.id, variant, unit_id, sticky: exposed, exposed }
}

fn mark(id: AbTestId) -> Mark {
    Mark::of(&["ab-test", &id.to_string()])
}

/// A test changes with this transaction, and what readers of its label are shown.
pub(super) async fn changes(tx: &mut Tx, row: &TestRow) -> Result<()> {
    tx.changes(mark(row.id));
    match row.behind_prompt_id {
        Some(id) => prompts::changes_under_name(tx, id).await,
        None => Ok(()),
    }
}

/// A test, as it was a moment ago.
async fn kept(app: &App, id: AbTestId) -> Result<Arc<TestRow>> {
    let load = async || {
        let found = repository::find(&mut app.db.read().await?, id).await?;
        Ok((found.ok_or_else(|| service::missing(id))?, Keep::Yes))
    };
    Ok(app.cache.get(&Key::new(&[&id.to_string()], &["ab-test"]), mark(id), load).await?.value)
}

impl Keepable for TestRow {
    fn bytes(&self) -> usize {
        1024 + self.variants().len() * 256
    }
}

/// A test that readers of a label take part in.
#[derive(Clone, Debug)]
pub struct TestBehind(TestRow);

/// The test behind a label of a prompt. Whoever keeps it forgets it when what is under the prompt's name changes.
pub async fn behind(app: &App, prompt_id: PromptId, label: &str) -> Result<Option<TestBehind>> {
    let found = repository::find_behind(&mut app.db.read().await?, prompt_id, label).await?;
    Ok(found.filter(|test| test.status != AbTestStatus::Draft).map(TestBehind))
}

/// An arm that a unit is to be shown. Nobody has been, before it is [accepted](accept).
#[derive(Debug)]
pub struct Offer {
    /// How the test decided.
    pub experiment: Experiment,
    /// The prompt of the arm, at the version it shows.
    pub prompt: Arc<Prompt>,
    /// How that version was found.
    pub selector: Selector,
    /// What is to be written down, if the unit was not shown an arm before.
    exposure: Option<Exposure>,
}

/// What a unit is to be shown instead of what the label points at, if it takes part in the test behind it, and if the arm
/// it has can be shown.
pub async fn offer(app: &App, test: &TestBehind, unit_id: &str, context: &Context) -> Result<Option<Offer>> {
    offer_of(app, &test.0, unit_id, context).await
}

async fn offer_of(app: &App, test: &TestRow, unit_id: &str, context: &Context) -> Result<Option<Offer>> {
    let Some((arm, exposure)) = choose(app, test, unit_id, context).await? else { return Ok(None) };
    let Some(variant) = test.variants().get(arm) else { return Ok(None) };
    match shown(app, variant).await {
        Ok((prompt, selector)) => {
            let experiment = experiment(test, variant, unit_id, true);
            Ok(Some(Offer { experiment, prompt, selector, exposure }))
        }
        Err(error) if is_gone(&error) => {
            tracing::warn!(test = %test.id, variant = variant.name, error = error.for_log(), "an arm cannot be shown");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The unit is shown what was offered: that is written down. Answers `false` where another process was faster with another
/// arm, so that this one must not be shown; what is offered next is the other.
pub async fn accept(app: &App, caller: &Caller, offer: &Offer) -> Result<bool> {
    match &offer.exposure {
        Some(exposure) => Ok(exposures::expose(app, caller, exposure.clone()).await? == exposure.variant),
        None => Ok(true),
    }
}

/// The prompt that an arm shows. An archived one is not shown.
async fn shown(app: &App, variant: &Variant) -> Result<(Arc<Prompt>, Selector)> {
    let selector = selector(variant)?;
    let prompt = prompts::kept(app, variant.prompt_id, &selector).await?;
    match prompt.lifecycle_status {
        LifecycleStatus::Archived => {
            Err(Error::conflict("archived", format!("the prompt `{}` is archived", prompt.id)))
        }
        _ => Ok((prompt, selector)),
    }
}

/// Is what an arm shows not there any more, or not to be shown?
pub(super) fn is_gone(error: &Error) -> bool {
    error.is_refusal() || error.code() == "storage-damaged"
}

/// The arms that cannot be shown, by name.
pub(super) async fn gone(conn: &mut Conn, test: &TestRow) -> Result<Vec<String>> {
    let mut gone = Vec::new();
    for variant in test.variants() {
        let found = prompts::find_in(conn, &Caller::system("worker"), variant.prompt_id, &selector(variant)?).await;
        let is_there = match found {
            Ok(found) => found.is_some_and(|prompt| prompt.lifecycle_status != LifecycleStatus::Archived),
            Err(error) if is_gone(&error) => false,
            Err(error) => return Err(error),
        };
        if !is_there {
            gone.push(variant.name.clone());
        }
    }
    Ok(gone)
}

/// The arm a unit gets, and the exposure that would be its first, if it takes part.
async fn choose(
    app: &App,
    test: &TestRow,
    unit_id: &str,
    context: &Context,
) -> Result<Option<(usize, Option<Exposure>)>> {
    if !is_in_audience(&test.plan().target_audience, context) {
        return Ok(None);
    }
    if let Some(arm) = exposures::arm_of(app, test.id, unit_id).await? {
        return Ok(Some((usize::try_from(arm).unwrap_or(0), None)));
    }
    let coverage = u16::try_from(test.coverage_bp).unwrap_or(0);
    let Assignment { exposed, variant, .. } = assign::assign(&test.salt, unit_id, coverage, &test.weights_bp.0);
    let Some(arm) = variant.filter(|_| exposed && test.status == AbTestStatus::Running) else { return Ok(None) };
    // If one arm cannot be shown, those whom it would have been shown are missing: the others would not be the split that was
    // asked for. So nobody begins to take part.
    for variant in test.variants() {
        match shown(app, variant).await {
            Ok(_) => {}
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let exposure = Exposure {
        test_id: test.id,
        unit_id: unit_id.to_owned(),
        variant: i64::try_from(arm).unwrap_or(0),
        phase: test.phase,
        at: app.clock.now(),
    };
    Ok(Some((arm, Some(exposure))))
}

fn is_in_audience(audience: &Audience, context: &Context) -> bool {
    audience.iter().all(|(name, values)| context.get(name).is_some_and(|value| values.contains(value)))
}

/// How the version of an arm is found.
pub(super) fn selector(variant: &Variant) -> Result<Selector> {
    Selector::new(variant.version, variant.label.clone(), Selector::Production)
}
