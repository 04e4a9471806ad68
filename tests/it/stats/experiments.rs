//! The methods of experiments, computed by the product for the reference cases.
use serde_json::{Value, json};
use shared::{
    ab_testing::assign::assign,
    stats::{
        bandit, bayes, bayes::Beta, corrections, guardrails, means, means::Covariate, normal, normal::Normal, power,
        power::Design, proportions, proportions::Proportion, quantiles, ratios, samples, samples::Sample, sequential,
        sequential::Running, srm,
    },
};

use super::{Inputs, drifts::sequence};

pub(super) fn method(name: &str) -> Option<fn(Inputs<'_>) -> Value> {
    Some(match name {
        "wilson_interval" => wilson,
        "two_proportion_z_newcombe" => two_proportions,
        "fisher_exact_two_sided" => fisher,
        "chi_square_homogeneity" => homogeneity,
        "welch_t" => welch,
        "welch_t_on_log (geometric mean ratio)" => welch_on_logs,
        "mann_whitney_u" => mann_whitney,
        "ratio_metric_delta_method" => ratio,
        "quantile_order_statistic_ci" => quantile,
        "quantile_difference_z" => quantile_difference,
        "cuped" => cuped,
        "srm_chi_square" => srm_chi_square,
        "srm_sequential_dirichlet" => srm_sequential,
        "bonferroni_holm_bh" => corrected,
        "sample_size_two_proportions" => units_for_proportions,
        "mde_two_proportions" => effect_for_proportions,
        "sample_size_two_means" => units_for_means,
        "power_two_proportions" => power_of_proportions,
        "acs_rho_squared" => rho_squared,
        "asymptotic_confidence_sequence" => look,
        "msprt_normal" => msprt,
        "asymptotic_confidence_sequence_one_sided" => one_sided,
        "asymptotic_confidence_sequence_path" => path,
        "sequential_sample_size_bound" => sequential_units,
        "beta_binomial" => beta_binomial,
        "normal_posterior_two_arms" => effect_posterior,
        "normal_posterior_k_arms" => normal_arms,
        "thompson_weights_with_floor" => thompson,
        "non_inferiority_z" => non_inferiority,
        "sha256_two_hash_bucket" => assignment,
        _ => return None,
    })
}

fn low(ci: Option<[f64; 2]>) -> Option<f64> {
    ci.map(|[low, _]| low)
}

fn high(ci: Option<[f64; 2]>) -> Option<f64> {
    ci.map(|[_, high]| high)
}

fn share(of: Inputs<'_>, successes: &str, trials: &str) -> Proportion {
    Proportion { successes: of.u(successes), trials: of.u(trials) }
}

fn both(of: Inputs<'_>) -> (Proportion, Proportion) {
    (share(of, "successes_a", "trials_a"), share(of, "successes_b", "trials_b"))
}

fn wilson(of: Inputs<'_>) -> Value {
    let arm = share(of, "successes", "trials");
    let ci = arm.wilson(of.f("alpha"));
    json!({ "estimate": arm.estimate(), "ci_low": low(ci), "ci_high": high(ci), "status": "no_data" })
}

fn two_proportions(of: Inputs<'_>) -> Value {
    let (a, b) = both(of);
    let found = proportions::compare(a, b, of.f("alpha")).unwrap();
    json!({
        "p_a": a.estimate(), "p_b": b.estimate(), "diff": found.diff, "pooled": found.pooled, "z": found.z,
        "p_value": found.p_value, "diff_ci_low": found.diff_ci[0], "diff_ci_high": found.diff_ci[1],
        "relative_lift": found.relative_lift, "relative_ci_low": low(found.relative_ci),
        "relative_ci_high": high(found.relative_ci),
    })
}

fn fisher(of: Inputs<'_>) -> Value {
    let (a, b) = both(of);
    json!({ "p_value": proportions::fisher(a, b) })
}

fn homogeneity(of: Inputs<'_>) -> Value {
    let row = |row: &Value| row.as_array().unwrap().iter().map(|cell| cell.as_u64().unwrap()).collect();
    let table: Vec<Vec<u64>> = of.items("table").iter().map(row).collect();
    let found = proportions::homogeneity(&table).unwrap();
    json!({ "statistic": found.statistic, "df": found.df, "p_value": found.p_value })
}

fn welch(of: Inputs<'_>) -> Value {
    let a = Sample { n: of.u("n_a"), mean: of.f("mean_a"), variance: of.f("var_a") };
    let b = Sample { n: of.u("n_b"), mean: of.f("mean_b"), variance: of.f("var_b") };
    let found = means::welch(a, b, of.f("alpha"));
    json!({
        "diff": found.diff, "se": found.se, "t": found.t, "df": found.df, "p_value": found.p_value,
        "ci_low": low(found.ci), "ci_high": high(found.ci), "relative_lift": found.relative_lift,
        "relative_se": found.relative_se, "relative_ci_low": low(found.relative_ci),
        "relative_ci_high": high(found.relative_ci), "status": found.status.as_str(),
    })
}

fn welch_on_logs(of: Inputs<'_>) -> Value {
    let found = means::welch_on_logs(&of.list("sample_a"), &of.list("sample_b"), of.f("alpha")).unwrap();
    json!({
        "geometric_mean_a": found.geometric_mean_a, "geometric_mean_b": found.geometric_mean_b, "ratio": found.ratio,
        "ratio_ci_low": low(found.ratio_ci), "ratio_ci_high": high(found.ratio_ci), "t": found.logs.t,
        "df": found.logs.df, "p_value": found.logs.p_value,
    })
}

fn mann_whitney(of: Inputs<'_>) -> Value {
    let found = samples::mann_whitney(&of.list("sample_a"), &of.list("sample_b")).unwrap();
    json!({ "u_b": found.u_b, "p_value": found.p_value, "common_language_effect": found.common_language_effect })
}

fn ratio(of: Inputs<'_>) -> Value {
    let a = ratios::ratio(&of.list("numerator_a"), &of.list("denominator_a")).unwrap();
    let b = ratios::ratio(&of.list("numerator_b"), &of.list("denominator_b")).unwrap();
    let found = ratios::compare(a, b);
    json!({
        "ratio_a": a.ratio, "var_ratio_a": a.variance, "ratio_b": b.ratio, "var_ratio_b": b.variance,
        "diff": found.diff, "se": found.se, "z": found.z, "p_value": found.p_value,
    })
}

fn quantile(of: Inputs<'_>) -> Value {
    let values = sequence(of.text("sequence"), of.u("n"));
    let found = quantiles::quantile(&values, of.f("q"), of.f("alpha")).unwrap();
    json!({
        "estimate": found.estimate, "rank_low": found.rank_low, "rank_high": found.rank_high, "ci_low": low(found.ci),
        "ci_high": high(found.ci), "coverage": found.coverage,
        "status": if found.ci.is_some() { "ok" } else { "insufficient_data" },
    })
}

fn quantile_difference(of: Inputs<'_>) -> Value {
    let (a, b) = (sequence(of.text("sequence_a"), 200), sequence(of.text("sequence_b"), 180));
    let found = quantiles::compare(&a, &b, of.f("q"), 0.05).unwrap();
    json!({
        "estimate_a": found.a.estimate, "estimate_b": found.b.estimate, "se_a": found.se_a, "se_b": found.se_b,
        "diff": found.diff, "z": found.z, "p_value": found.p_value,
    })
}

fn cuped(of: Inputs<'_>) -> Value {
    let [y_a, x_a, y_b, x_b] = ["y_a", "x_a", "y_b", "x_b"].map(|name| of.list(name));
    let found = means::cuped(Covariate { y: &y_a, x: &x_a }, Covariate { y: &y_b, x: &x_b }, of.f("alpha")).unwrap();
    json!({
        "theta": found.theta, "mean_a_adj": found.a.mean, "mean_b_adj": found.b.mean, "var_a_adj": found.a.variance,
        "var_b_adj": found.b.variance, "diff_raw": found.raw.diff, "se_raw": found.raw.se,
        "p_value_raw": found.raw.p_value, "diff_adj": found.adjusted.diff, "se_adj": found.adjusted.se,
        "t_adj": found.adjusted.t, "df_adj": found.adjusted.df, "p_value_adj": found.adjusted.p_value,
        "variance_reduction": found.variance_reduction,
    })
}

fn srm_chi_square(of: Inputs<'_>) -> Value {
    let found = srm::chi_square(&of.counts("observed"), &of.list("weights"), of.f("threshold"));
    json!({
        "statistic": found.test.map(|test| test.statistic), "df": found.test.map(|test| test.df),
        "p_value": found.test.map(|test| test.p_value), "status": found.status.as_str(),
    })
}

fn srm_sequential(of: Inputs<'_>) -> Value {
    let found = srm::sequential(&of.counts("observed"), &of.list("weights"), of.f("concentration"));
    json!({ "log_e_value": found.log_e_value, "p_value": found.p_value })
}

fn corrected(of: Inputs<'_>) -> Value {
    let (p_values, alpha) = (of.list("p_values"), of.f("alpha"));
    let rejected = |adjusted: &[f64]| adjusted.iter().map(|p| *p <= alpha).collect::<Vec<bool>>();
    let bonferroni = corrections::bonferroni(&p_values);
    let holm = corrections::holm(&p_values);
    let benjamini_hochberg = corrections::benjamini_hochberg(&p_values);
    json!({
        "bonferroni": bonferroni, "bonferroni_reject": rejected(&bonferroni), "holm": holm,
        "holm_reject": rejected(&holm), "benjamini_hochberg": benjamini_hochberg,
        "benjamini_hochberg_reject": rejected(&benjamini_hochberg),
    })
}

fn design(of: Inputs<'_>) -> Design {
    let ratio = of.get("ratio_b_to_a").as_f64().unwrap_or(1.0);
    Design { alpha: of.f("alpha"), power: of.f("power"), ratio }
}

fn units_for_proportions(of: Inputs<'_>) -> Value {
    let (baseline, target, design) = (of.f("baseline"), of.f("target"), design(of));
    let exact = power::units_for_proportions(baseline, target, design).unwrap();
    let (n_a, n_b) = (exact.ceil(), (exact.ceil() * design.ratio).ceil());
    let achieved = power::power_of_proportions(baseline, target, n_a, n_b, design.alpha);
    json!({ "n_a_exact": exact, "n_a": n_a, "n_b": n_b, "achieved_power": achieved })
}

fn effect_for_proportions(of: Inputs<'_>) -> Value {
    let baseline = of.f("baseline");
    let found = power::effect_for_proportions(baseline, of.f("n_per_arm"), design(of)).unwrap();
    json!({ "mde_absolute": found, "mde_relative": found / baseline })
}

fn units_for_means(of: Inputs<'_>) -> Value {
    let (sd, difference, design) = (of.f("sd"), of.f("difference"), design(of));
    let found = power::units_for_means(sd, difference, design).unwrap();
    json!({
        "n_a_normal": found.normal, "n_a_normal_guenther": found.guenther, "n_a": found.guenther.ceil(),
        "n_a_noncentral_t": power::units_for_means_exact(sd, difference, design),
    })
}

fn power_of_proportions(of: Inputs<'_>) -> Value {
    let found = power::power_of_proportions(of.f("baseline"), of.f("target"), of.f("n_a"), of.f("n_b"), of.f("alpha"));
    json!({ "power": found })
}

fn rho_squared(of: Inputs<'_>) -> Value {
    let found = sequential::rho_squared(of.f("n_star"), of.f("alpha")).unwrap();
    json!({ "rho_squared": found, "rho": found.sqrt() })
}

fn look(of: Inputs<'_>) -> Value {
    let found = sequential::look(of.f("diff"), of.f("se"), of.u("n_total"), of.f("n_star"), of.f("alpha")).unwrap();
    json!({
        "rho_squared": found.rho_squared, "multiplier": found.multiplier, "half_width": found.half_width,
        "ci_low": found.ci[0], "ci_high": found.ci[1], "log_e_value": found.log_e_value, "p_value": found.p_value,
    })
}

fn msprt(of: Inputs<'_>) -> Value {
    let diff = of.f("diff");
    let found = sequential::msprt(diff, of.f("variance_of_diff"), of.f("tau_squared"), of.f("alpha")).unwrap();
    json!({
        "log_lambda": found.log_lambda, "p_value": found.p_value, "half_width": found.half_width,
        "ci_low": diff - found.half_width, "ci_high": diff + found.half_width,
    })
}

fn one_sided(of: Inputs<'_>) -> Value {
    let (n_star, alpha, diff) = (of.f("n_star"), of.f("alpha"), of.f("diff"));
    let half = sequential::one_sided_half_width(of.f("se"), of.u("n_total"), n_star, alpha).unwrap();
    let rho_squared = sequential::rho_squared(n_star, 2.0 * alpha);
    json!({ "rho_squared": rho_squared, "half_width": half, "lower_bound": diff - half })
}

fn path(of: Inputs<'_>) -> Value {
    let mut running = Running::default();
    let (units_min, outcomes_min) = (of.u("burn_in_per_arm"), of.u("min_successes_and_failures_per_arm"));
    let mut step = |at: &Value| {
        let at = Inputs(at);
        let (a, b) = (share(at, "successes_a", "n_a"), share(at, "successes_b", "n_b"));
        let ready = sequential::is_ready(a, b, units_min, outcomes_min);
        let look = sequential::look_at_proportions(a, b, of.f("n_star"), of.f("alpha")).filter(|_| ready);
        if let Some(look) = &look {
            running.push(&(*look).into());
        }
        let ci = look.map(|look| look.ci);
        let se = (a.variance_of_estimate().unwrap() + b.variance_of_estimate().unwrap()).sqrt();
        json!({
            "n_total": a.trials + b.trials, "diff": b.estimate().unwrap() - a.estimate().unwrap(), "se": se,
            "ready": ready, "p_value": look.map(|look| look.p_value), "p_value_running": running.p_value,
            "ci_low": low(ci), "ci_high": high(ci), "ci_low_running": low(running.ci),
            "ci_high_running": high(running.ci),
        })
    };
    let path: Vec<Value> = of.items("looks").iter().map(&mut step).collect();
    json!({ "path": path })
}

fn sequential_units(of: Inputs<'_>) -> Value {
    let design = design(of);
    let variance = power::variance_of_means(of.f("sd"), design);
    let found = power::sequential_units(of.f("difference"), variance, of.f("n_star"), design).unwrap();
    json!({
        "n_total_exact": found.total, "n_total_fixed_horizon": found.fixed, "inflation": found.inflation,
    })
}

fn posteriors(of: Inputs<'_>) -> Vec<Beta> {
    let prior = Beta { a: of.f("prior_alpha"), b: of.f("prior_beta") };
    of.items("arms").iter().map(|arm| Beta::after(prior, share(Inputs(arm), "successes", "trials"))).collect()
}

fn beta_binomial(of: Inputs<'_>) -> Value {
    let arms = posteriors(of);
    let found = bayes::standings_of_shares(&arms, false);
    let each = |value: fn(&Beta) -> Value| arms.iter().map(value).collect::<Vec<Value>>();
    json!({
        "posterior": each(|arm| json!([arm.a, arm.b])), "posterior_mean": each(|arm| json!(arm.a / (arm.a + arm.b))),
        "prob_best": found.iter().map(|standing| standing.prob_best).collect::<Vec<f64>>(),
        "expected_loss": found.iter().map(|standing| standing.expected_loss).collect::<Vec<f64>>(),
        "credible_95": each(|arm| json!(arm.credible(0.05))),
    })
}

fn effect_posterior(of: Inputs<'_>) -> Value {
    let prior = of.get("prior_sd").as_f64().map(|sd| Normal { mean: of.f("prior_mean"), sd });
    let better = of.get("higher_is_better").as_bool().unwrap();
    let found = normal::effect_posterior(of.f("diff"), of.f("se"), prior, better).unwrap();
    json!({
        "posterior_mean": found.posterior.mean, "posterior_sd": found.posterior.sd,
        "prob_b_better": found.prob_b_better, "expected_loss_choose_b": found.expected_loss_choose_b,
        "expected_loss_choose_a": found.expected_loss_choose_a, "credible_95": found.credible_95,
    })
}

fn normal_arms(of: Inputs<'_>) -> Value {
    let arms: Vec<Normal> =
        of.list("means").into_iter().zip(of.list("standard_errors")).map(|(mean, sd)| Normal { mean, sd }).collect();
    let found = normal::standings_of_means(&arms, !of.get("higher_is_better").as_bool().unwrap()).unwrap();
    json!({
        "prob_best": found.iter().map(|standing| standing.prob_best).collect::<Vec<f64>>(),
        "expected_loss": found.iter().map(|standing| standing.expected_loss).collect::<Vec<f64>>(),
    })
}

fn thompson(of: Inputs<'_>) -> Value {
    let found = bayes::standings_of_shares(&posteriors(of), false);
    let prob_best: Vec<f64> = found.iter().map(|standing| standing.prob_best).collect();
    json!({ "weights": bandit::thompson_weights(&prob_best, of.f("floor")), "prob_best": prob_best })
}

fn non_inferiority(of: Inputs<'_>) -> Value {
    let lower = of.get("lower_is_better").as_bool().unwrap();
    let found = guardrails::non_inferiority(of.f("diff"), of.f("se"), of.f("margin"), lower, of.f("alpha")).unwrap();
    json!({
        "harm": found.bounds.harm, "z_margin": found.z_margin, "p_non_inferior": found.p_non_inferior,
        "p_harm": found.p_harm, "p_breach": found.p_breach, "harm_lower_95": found.bounds.lower,
        "harm_upper_95": found.bounds.upper, "verdict": found.bounds.verdict.as_str(),
    })
}

fn assignment(of: Inputs<'_>) -> Value {
    let points = |number: u64| u16::try_from(number).unwrap();
    let weights: Vec<u16> = of.counts("weights_bp").into_iter().map(points).collect();
    let found = assign(of.text("salt"), of.text("unit_id"), points(of.u("coverage_bp")), &weights);
    json!({
        "exposure_bucket": found.exposure_bucket, "exposed": found.exposed, "variant_bucket": found.variant_bucket,
        "variant_index": found.variant,
    })
}
