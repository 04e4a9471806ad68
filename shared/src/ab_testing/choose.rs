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
    db::Tx,
    error::{Error, Result, Violation},
    id::{AbTestId, PromptId},
    prompts::{self, Prompt, Selector, ServedVersion},
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
    /// Will the unit get this arm again? Not if it had to be made up.
    pub sticky: bool,
    /// Does the unit take part?
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
pub async fn select(
    app: &App,
    caller: &Caller,
    id: AbTestId,
    subject: &Subject,
    context: &Context,
    force: Option<&str>,
) -> Result<Selection> {
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
    let (arm, exposed) = match force {
        Some(name) => {
            let unknown = || Error::invalid("/force", "unknown-variant", format!("the test has no variant `{name}`"));
            (test.arm(name).ok_or_else(unknown)?, false)
        }
        None => choose(app, caller, &test, unit_id, context).await?,
    };
    let variant = test.variants().get(arm).ok_or_else(|| Error::internal("an arm that the test does not have"))?;
    let selector = selector(variant)?;
    let selected_prompt = Prompt::clone(&*prompts::kept(app, variant.prompt_id, &selector).await?);
    let served = ServedVersion::of(&selected_prompt, &selector);
    app.uses.add(selected_prompt.id, selected_prompt.version, 1);
    let experiment = Experiment {
        test_id: id,
        variant: variant.name.clone(),
        unit_id: unit_id.to_owned(),
        sticky: given.is_some(),
        exposed,
    };
    Ok(Selection { experiment, selected_prompt, served })
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

/// What a unit is to be shown instead of what the label points at, if it takes part in the test behind it.
pub async fn arm(
    app: &App,
    caller: &Caller,
    TestBehind(test): &TestBehind,
    unit_id: &str,
    context: &Context,
) -> Result<Option<(Experiment, PromptId, Selector)>> {
    let (arm, exposed) = choose(app, caller, test, unit_id, context).await?;
    let Some(variant) = test.variants().get(arm).filter(|_| exposed) else { return Ok(None) };
    let experiment = Experiment {
        test_id: test.id,
        variant: variant.name.clone(),
        unit_id: unit_id.to_owned(),
        sticky: true,
        exposed,
    };
    Ok(Some((experiment, variant.prompt_id, selector(variant)?)))
}

/// The arm a unit gets, and whether it takes part.
async fn choose(app: &App, caller: &Caller, test: &TestRow, unit_id: &str, context: &Context) -> Result<(usize, bool)> {
    const CONTROL: (usize, bool) = (0, false);
    if !is_in_audience(&test.plan().target_audience, context) {
        return Ok(CONTROL);
    }
    if let Some(arm) = exposures::arm_of(app, test.id, unit_id).await? {
        return Ok((usize::try_from(arm).unwrap_or(0), true));
    }
    let coverage = u16::try_from(test.coverage_bp).unwrap_or(0);
    let Assignment { exposed, variant, .. } = assign::assign(&test.salt, unit_id, coverage, &test.weights_bp.0);
    let Some(variant) = variant.filter(|_| exposed && test.status == AbTestStatus::Running) else {
        return Ok(CONTROL);
    };
    let exposure = Exposure {
        test_id: test.id,
        unit_id: unit_id.to_owned(),
        variant: i64::try_from(variant).unwrap_or(0),
        phase: test.phase,
        at: app.clock.now(),
    };
    let arm = exposures::expose(app, caller, exposure).await?;
    Ok((usize::try_from(arm).unwrap_or(0), true))
}

fn is_in_audience(audience: &Audience, context: &Context) -> bool {
    audience.iter().all(|(name, values)| context.get(name).is_some_and(|value| values.contains(value)))
}

/// How the version of an arm is found.
pub(super) fn selector(variant: &Variant) -> Result<Selector> {
    Selector::new(variant.version, variant.label.clone(), Selector::Production)
}
