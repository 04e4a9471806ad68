//! What arms in short say: estimates, tests and beliefs side by side, and what follows. Pure.
use super::{
    arms::{self, Arm, Effect},
    findings::{Analysis, ArmFindings, Bayes, Decision, DecisionState, Fixed, Prior, SampleRatio, Sequential},
};
use crate::stats::{
    bayes::Beta,
    corrections,
    proportions::Share,
    sequential::Running,
    srm::{self, Status},
};

/// How arms are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Is less better?
    pub(super) lower_is_better: bool,
    /// The chance of a false winner that is accepted.
    pub(super) alpha: f64,
    /// Units of both arms at which sequential intervals are tightest.
    pub(super) n_star: f64,
    /// Of shares.
    pub(super) prior: Prior,
    /// The effect that would matter.
    pub(super) mde: Option<f64>,
}

/// The arms of a comparison.
pub(super) struct Compared<'a> {
    /// By name; the first is the control.
    pub(super) arms: &'a [(&'a str, Arm)],
    /// The control as each treatment is to be compared with it: another where phases were dealt differently.
    pub(super) controls: &'a [Arm],
}

/// Compares arms by one metric. `before` is what earlier looks at the treatments have found, if looks are kept; it takes
/// this one in.
pub(super) fn compare(compared: &Compared<'_>, rules: &Rules, before: Option<&mut [Running]>) -> Vec<ArmFindings> {
    let Compared { arms: named, controls } = compared;
    let effects: Vec<Effect> = (named.iter().skip(1).zip(*controls))
        .map(|((_, arm), control)| arms::compare(control, arm, rules.n_star, rules.alpha))
        .collect();
    let running = before.map(|running| {
        for (running, effect) in running.iter_mut().zip(&effects) {
            // What is seen before there is enough to decide is no look.
            if let Some(look) = effect.look.as_ref().filter(|_| effect.ready) {
                running.push(look);
            }
        }
        running.to_vec()
    });
    let smallest = |place: usize| match &running {
        Some(running) => running.get(place).and_then(|running| running.p_value).or(effects[place].p_value),
        None => effects[place].p_value,
    };
    let fixed: Vec<_> = effects.iter().map(|effect| effect.fixed.p_value).collect();
    let always: Vec<_> = (0..effects.len()).map(smallest).collect();
    let (fixed, always) = (corrections::holm_of_known(&fixed), corrections::holm_of_known(&always));
    let arms = comparable(compared, &effects);
    let prior = Beta { a: rules.prior.alpha, b: rules.prior.beta };
    let believed = arms::believed(&arms, prior, rules.lower_is_better);
    let mut findings: Vec<ArmFindings> = named.iter().map(|(name, arm)| alone(name, arm, rules.alpha)).collect();
    for (findings, (arm, believed)) in findings.iter_mut().zip(arms.iter().zip(believed)) {
        findings.bayes = believed.map(|(standing, credible_95)| {
            let prior = matches!(arm, Arm::Share { .. }).then_some(rules.prior);
            Bayes { prob_best: standing.prob_best, expected_loss: standing.expected_loss, credible_95, prior }
        });
    }
    for (place, effect) in effects.into_iter().enumerate() {
        let running = running.as_ref().and_then(|running| running.get(place));
        let of = &mut findings[place + 1];
        of.sequential = Some(Sequential {
            method: effect.method.as_str().to_owned(),
            n_star: rules.n_star,
            ready: effect.ready,
            p_value: effect.p_value,
            p_value_running: running.and_then(|running| running.p_value),
            p_adjusted: always[place],
            ci: effect.look.map(|look| look.ci),
            ci_running: running.and_then(|running| running.ci),
            e_value_log: effect.look.map(|look| look.log_e_value),
        });
        of.fixed = Some(Fixed { p_adjusted: fixed[place], ..effect.fixed });
        (of.diff, of.diff_ci) = (effect.diff, effect.diff_ci);
        (of.relative_lift, of.relative_ci) = (effect.relative_lift, effect.relative_ci);
    }
    findings
}

/// The arms as they can be compared with each other: the control's, and what the effects add to it, which is more than
/// the arms themselves say where they were dealt differently in several phases.
fn comparable(compared: &Compared<'_>, effects: &[Effect]) -> Vec<Arm> {
    let mut arms: Vec<Arm> = compared.arms.iter().map(|(_, arm)| *arm).collect();
    let Some(control) = arms.first().copied() else { return arms };
    for ((arm, its_control), effect) in arms.iter_mut().skip(1).zip(compared.controls).zip(effects) {
        let diff = effect.diff.filter(|_| *its_control != control);
        let Some(value) = control.value().zip(diff).map(|(control, diff)| control + diff) else { continue };
        match arm {
            Arm::Share { share, .. } => *share = Share::of_rate(value.clamp(0.0, 1.0), share.trials),
            Arm::Mean(sample) => sample.mean = value,
        }
    }
    arms
}

fn alone(name: &str, arm: &Arm, alpha: f64) -> ArmFindings {
    ArmFindings {
        name: name.to_owned(),
        n: arm.n(),
        estimate: arm.value(),
        ci: arm.ci(alpha),
        diff: None,
        diff_ci: None,
        relative_lift: None,
        relative_ci: None,
        fixed: None,
        sequential: None,
        bayes: None,
    }
}

/// Did units get to the arms as their weights say?
pub(super) fn sample_ratio(units: &[u64], weights: &[f64]) -> SampleRatio {
    let split = srm::chi_square(units, weights, srm::THRESHOLD);
    let sequential = srm::sequential(units, weights, srm::CONCENTRATION);
    let status = if sequential.is_mismatch { Status::Mismatch } else { split.status };
    SampleRatio {
        statistic: split.test.map(|test| test.statistic),
        df: split.test.map(|test| test.df),
        p_value: split.test.map(|test| test.p_value),
        e_value_log: sequential.log_e_value,
        status: status.as_str().to_owned(),
    }
}

/// What follows from the metric that decides.
pub(super) fn decide(arms: &[ArmFindings], srm: &SampleRatio, rules: &Rules) -> Decision {
    if srm.status == Status::Mismatch.as_str() {
        return Decision::new(DecisionState::Invalid, "sample_ratio_mismatch", None);
    }
    let Some((control, treatments)) = arms.split_first() else {
        return Decision::new(DecisionState::Collecting, "no_arms", None);
    };
    let is_ready = |arm: &ArmFindings| arm.sequential.as_ref().is_some_and(|it| it.ready);
    // How sure the effect is, towards the better or the worse.
    let is_sure = |arm: &ArmFindings, better: bool| {
        let p = arm.sequential.as_ref().filter(|it| it.ready).and_then(|it| it.p_adjusted);
        let gain = arm.diff.map(|diff| if rules.lower_is_better { -diff } else { diff });
        p.is_some_and(|p| p < rules.alpha) && gain.is_some_and(|gain| if better { gain > 0.0 } else { gain < 0.0 })
    };
    let loss = |arm: &&ArmFindings| arm.bayes.as_ref().map_or(f64::INFINITY, |bayes| bayes.expected_loss);
    let best = treatments.iter().filter(|arm| is_sure(arm, true)).min_by(|a, b| loss(a).total_cmp(&loss(b)));
    if let Some(best) = best {
        return Decision::new(DecisionState::Winner, "treatment_better", Some(&best.name));
    }
    if treatments.iter().all(|arm| is_sure(arm, false)) {
        return Decision::new(DecisionState::Winner, "control_better", Some(&control.name));
    }
    let within = |arm: &ArmFindings, mde: f64| {
        let ci = arm.sequential.as_ref().filter(|it| it.ready).and_then(|it| it.ci_running.or(it.ci));
        ci.is_some_and(|[low, high]| low > -mde && high < mde)
    };
    if let Some(mde) = rules.mde
        && treatments.iter().all(|arm| within(arm, mde))
    {
        return Decision::new(DecisionState::NoDifference, "within_mde", None);
    }
    match treatments.iter().find(|arm| !is_ready(arm)) {
        Some(arm) => Decision::new(DecisionState::Collecting, why_not_ready(control, arm), Some(&arm.name)),
        None => Decision::new(DecisionState::Undecided, "not_significant", None),
    }
}

fn why_not_ready(control: &ArmFindings, arm: &ArmFindings) -> &'static str {
    match arm.fixed.as_ref().map(|fixed| fixed.status.as_str()) {
        _ if control.n == 0 || arm.n == 0 => "no_data",
        Some("zero_variance_equal" | "zero_variance_different") => "zero_variance",
        Some("out_of_range") => "out_of_range",
        _ => "burn_in",
    }
}

/// What summary statistics say: names, arms and weights, the first of which is the control.
pub(super) fn analyze(arms: &[(&str, Arm)], weights: &[f64], rules: &Rules) -> Analysis {
    let units: Vec<u64> = arms.iter().map(|(_, arm)| arm.n()).collect();
    let control = arms.first().map(|(_, arm)| *arm);
    let controls: Vec<Arm> = control.into_iter().cycle().take(arms.len().saturating_sub(1)).collect();
    let findings = compare(&Compared { arms, controls: &controls }, rules, None);
    let srm = sample_ratio(&units, weights);
    let decision = decide(&findings, &srm, rules);
    Analysis { arms: findings, srm, decision }
}
