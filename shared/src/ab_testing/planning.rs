//! How many units a test needs, and what it finds with those it has.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::{Error, Result},
    stats::{
        power::{self, Design},
        sequential::UNITS_MIN,
    },
    violations::Violations,
};

const LEVEL: f64 = 0.05;
const POWER: f64 = 0.8;
const N_STAR: f64 = 1000.0;
const TREATMENTS_MAX: u32 = 99;

/// What is planned: of shares with `baseline`, of means with `sd`; with the effect that is to be found, or the units of
/// the control that there are.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct PowerRequest {
    /// The share of the control.
    pub baseline: Option<f64>,
    /// The common standard deviation.
    pub sd: Option<f64>,
    /// The effect that is to be found, in the metric's unit.
    pub mde: Option<f64>,
    /// The units of the control.
    pub n: Option<f64>,
    /// The two-sided level.
    pub alpha: Option<f64>,
    /// The chance to find the effect.
    pub power: Option<f64>,
    /// Units of each treatment for each unit of the control.
    pub ratio: Option<f64>,
    /// How many treatments there are; each is tested at alpha over their number.
    pub treatments: Option<u32>,
    /// How many units come in a day.
    pub units_per_day: Option<f64>,
    /// Units at which the sequential intervals are tightest.
    pub n_star: Option<f64>,
}

/// How many units a test needs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PowerPlan {
    /// The effect that is found, in the metric's unit.
    pub mde: f64,
    /// With a single look at the end.
    pub fixed: UnitsNeeded,
    /// However often one looks, as tests that are kept here are decided: at least the 100 units of each arm before which
    /// nothing is.
    pub sequential: UnitsNeeded,
    /// What this rests on.
    pub assumptions: Vec<String>,
}

/// Units, and how long they take to come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct UnitsNeeded {
    /// Of the control.
    pub control: f64,
    /// Of each treatment.
    pub treatment: f64,
    /// Of all arms.
    pub total: f64,
    /// At the rate that was said.
    pub days: Option<f64>,
}

/// Plans a test: units for an effect, or the effect for units. 422, where no number is enough.
pub fn power(request: &PowerRequest) -> Result<PowerPlan> {
    check(request)?;
    let treatments = f64::from(request.treatments.unwrap_or(1));
    let (alpha, ratio) = (request.alpha.unwrap_or(LEVEL) / treatments, request.ratio.unwrap_or(1.0));
    let design = Design { alpha, power: request.power.unwrap_or(POWER), ratio };
    let n_star = request.n_star.unwrap_or(N_STAR);
    let mde = effect(request, design)?;
    let needed = |control: f64| {
        let (control, treatment) = (control.ceil(), (control.ceil() * ratio).ceil());
        let total = control + treatments * treatment;
        UnitsNeeded { control, treatment, total, days: request.units_per_day.map(|rate| (total / rate).ceil()) }
    };
    let (fixed, both) = match (request.baseline, request.sd) {
        (Some(baseline), _) => (
            power::units_for_proportions(baseline, baseline + mde, design),
            power::running_units_for_proportions(baseline, baseline + mde, n_star, design),
        ),
        (None, sd) => (
            sd.and_then(|sd| power::units_for_means(sd, mde, design)).map(|units| units.guenther),
            sd.and_then(|sd| power::running_units_for_means(sd, mde, n_star, design)),
        ),
    };
    let Some((fixed, both)) = fixed.zip(both) else {
        let detail = format!("so small an effect takes more than {:.0} units; say a larger `mde`", power::UNITS_MAX);
        return Err(Error::invalid(if request.mde.is_some() { "/mde" } else { "/n" }, "out-of-range", detail));
    };
    let sequential = needed(both / (1.0 + ratio));
    let of = if request.baseline.is_some() {
        "two shares by a pooled z test (Fleiss), without correction for continuity"
    } else {
        "two means with one standard deviation by t (Guenther's correction)"
    };
    let assumptions = vec![
        format!("{of}, two-sided at {alpha:.6}, found with a probability of {}", design.power),
        format!("sequential: asymptotic confidence sequence, tightest at {n_star} units of both arms"),
        format!("sequential: nothing is decided before {UNITS_MIN} units of each arm"),
        "every unit counts once, and units do not influence each other".to_owned(),
    ];
    Ok(PowerPlan { mde, fixed: needed(fixed), sequential, assumptions })
}

/// The effect that is to be found: as it was said, or what so many units find.
fn effect(request: &PowerRequest, design: Design) -> Result<f64> {
    let of_units = |n: f64| match (request.baseline, request.sd) {
        (Some(baseline), _) => power::effect_for_proportions(baseline, n, design),
        (None, sd) => sd.and_then(|sd| power::effect_for_means(sd, n, design)),
    };
    let too_few = || Error::invalid("/n", "out-of-range", "so few units find no effect, however large; say more");
    request.mde.or_else(|| request.n.and_then(of_units)).ok_or_else(too_few)
}

fn check(request: &PowerRequest) -> Result<()> {
    let mut wrong = Violations::default();
    let mut unless = |fits: bool, field: &str, code: &'static str, must: &str| {
        wrong.unless(fits, format!("/{field}"), code, must);
    };
    let between = |value: Option<f64>, low: f64, high: f64| value.is_none_or(|value| value > low && value < high);
    match (request.baseline, request.sd) {
        (None, None) => unless(false, "baseline", "required", "must be given for shares, or `sd` for means"),
        (Some(_), Some(_)) => unless(false, "sd", "not-together", "belongs to means, and `baseline` to shares"),
        _ => {}
    }
    match (request.mde, request.n) {
        (None, None) => unless(false, "mde", "required", "must be given, or `n`"),
        (Some(_), Some(_)) => unless(false, "n", "not-together", "follows from `mde`; give one of them"),
        _ => {}
    }
    unless(between(request.baseline, 0.0, 1.0), "baseline", "out-of-range", "must be a number between 0 and 1");
    unless(between(request.sd, 0.0, 1e150), "sd", "out-of-range", "must be a number above 0 and below 10^150");
    unless(between(request.n, 1.0, 1e15), "n", "out-of-range", "must be a number above 1 and below 10^15");
    let target = request.baseline.zip(request.mde).map(|(baseline, mde)| baseline + mde);
    let fits = request.mde.is_none_or(|mde| mde != 0.0 && mde.abs() < 1e150) && between(target, 0.0, 1.0);
    unless(
        fits,
        "mde",
        "out-of-range",
        "must be a number within 10^150 that is not 0, and with `baseline` it must lead to a share between 0 and 1",
    );
    unless(between(request.alpha, 0.0, 1.0), "alpha", "out-of-range", "must be a number between 0 and 1");
    // A test that finds nothing at all finds something with the probability alpha.
    let alpha = request.alpha.unwrap_or(LEVEL);
    unless(between(request.power, alpha, 1.0), "power", "out-of-range", "must be a number above `alpha` and below 1");
    unless(between(request.ratio, 1e-4, 1e4), "ratio", "out-of-range", "must be a number between 0.0001 and 10000");
    unless(
        between(request.units_per_day, 0.0, 1e15),
        "units_per_day",
        "out-of-range",
        "must be a number above 0 and below 10^15",
    );
    unless(between(request.n_star, 0.0, 1e15), "n_star", "out-of-range", "must be a number above 0 and below 10^15");
    let fits = request.treatments.is_none_or(|treatments| (1..=TREATMENTS_MAX).contains(&treatments));
    unless(fits, "treatments", "out-of-range", "must be 1 to 99");
    wrong.end()
}
