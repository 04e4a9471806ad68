//! The methods of drift and of rankings, computed by the product for the reference cases.
use serde_json::{Value, json};
use shared::{
    drift,
    stats::{
        distances,
        page_hinkley::{Direction, PageHinkley},
    },
};

use super::Inputs;
use crate::search::metrics;

pub(super) fn method(name: &str) -> Option<fn(Inputs<'_>) -> Value> {
    Some(match name {
        "psi_jsd_hellinger" => binned,
        "kolmogorov_smirnov_two_sample" => kolmogorov_smirnov,
        "wasserstein_normalised" => wasserstein,
        "page_hinkley_two_sided" => page_hinkley,
        "content_similarity" => content,
        "ndcg10_mrr_recall10" => ranking,
        _ => return None,
    })
}

/// The values that a formula of the file stands for.
pub(super) fn sequence(formula: &str, n: u64) -> Vec<f64> {
    let formulas: [(&str, [f64; 3]); 4] = [
        ("100 + 3k + 0.05k^2", [100.0, 3.0, 0.05]),
        ("98 + 2.8k + 0.052k^2", [98.0, 2.8, 0.052]),
        ("0.1k + 0.003k^2", [0.0, 0.1, 0.003]),
        ("0.4 + 0.11k + 0.0032k^2", [0.4, 0.11, 0.0032]),
    ];
    let known = formulas.iter().find(|(known, _)| formula.starts_with(known));
    let same = ("", formulas[0].1);
    let [zero, one, two] = known.or(formula.starts_with("the same sequence").then_some(&same)).expect(formula).1;
    let value = |k: u32| ((zero + one * f64::from(k) + two * f64::from(k) * f64::from(k)) * 1e4).round() / 1e4;
    (1..=u32::try_from(n).unwrap()).map(value).collect()
}

fn binned(of: Inputs<'_>) -> Value {
    let (reference, current) = (of.counts("reference_counts"), of.counts("current_counts"));
    let found = distances::binned(&reference, &current, of.f("pseudo_count")).unwrap();
    json!({
        "p": found.p, "q": found.q, "psi": found.psi, "expected_psi_without_drift": found.expected_psi,
        "psi_critical_001": found.psi_critical_001, "p_value": found.p_value,
        "jensen_shannon_distance_base2": found.jensen_shannon_distance,
        "jensen_shannon_divergence_base2": found.jensen_shannon_divergence, "hellinger": found.hellinger,
    })
}

fn samples(of: Inputs<'_>) -> (Vec<f64>, Vec<f64>) {
    let reference = sequence(of.text("sample_ref"), 60);
    let current = of.text("sample_cur");
    let current = if current == "the same" { reference.clone() } else { sequence(current, 50) };
    (reference, current)
}

fn kolmogorov_smirnov(of: Inputs<'_>) -> Value {
    let (reference, current) = samples(of);
    let found = distances::kolmogorov_smirnov(&reference, &current).unwrap();
    json!({
        "d": found.d, "effective_n": found.effective_n, "p_value_limit": found.p_value_limit,
        "p_value_stephens": found.p_value, "p_value_scipy_exact": found.p_value_exact,
    })
}

fn wasserstein(of: Inputs<'_>) -> Value {
    let (reference, current) = samples(of);
    json!({
        "wasserstein": distances::wasserstein(&reference, &current),
        "normalised": distances::wasserstein_normalised(&reference, &current),
    })
}

fn page_hinkley(of: Inputs<'_>) -> Value {
    assert!(of.text("stream").starts_with("1 if (7k mod 10) < 9 else 0, k = 0..59; then 1 if (7k mod 10) < 6"));
    let mut test = PageHinkley::new(of.f("delta"), of.f("lambda"), of.u("min_instances"));
    let stream = (0..60).map(|k| (7 * k % 10) < 9).chain((0..60).map(|k| (7 * k % 10) < 6));
    let alarm = stream.enumerate().find_map(|(index, one)| Some((index, test.push(f64::from(u8::from(one)))?)));
    let (index, direction) = alarm.unwrap();
    let direction = if direction == Direction::Up { "up" } else { "down" };
    json!({ "alarm_index": index, "direction": direction, "up": test.up, "down": test.down, "mean": test.mean })
}

/// Insertions, deletions and replacements between two lists, by the definition.
fn edits<T: PartialEq>(old: &[T], new: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=new.len()).collect();
    for (i, before) in old.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, after) in new.iter().enumerate() {
            let replaced = diagonal + usize::from(before != after);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[new.len()]
}

fn content(of: Inputs<'_>) -> Value {
    let (old, new) = (of.text("a"), of.text("b"));
    let found = drift::similarity(old, new);
    let [tokens_old, tokens_new] = [old, new].map(drift::tokens);
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    let longer = number(old.chars().count().max(new.chars().count()));
    let lengths = number(tokens_old.len() + tokens_new.len());
    let variables = |text: &str| {
        let draft = shared::versions::BodyDraft { content: Some(text.to_owned()), ..Default::default() };
        draft.check().unwrap().variables
    };
    let (before, after) = (variables(old), variables(new));
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|name| !those.contains(name)).cloned().collect()
    };
    json!({
        "char_levenshtein": ((1.0 - found.char_similarity) * longer).round(), "char_similarity": found.char_similarity,
        "tokens_a": tokens_old.len(), "tokens_b": tokens_new.len(), "token_lcs": (found.token_ratio * lengths / 2.0).round(),
        "token_levenshtein": edits(&tokens_old, &tokens_new), "token_ratio": found.token_ratio,
        "token_jaccard": found.token_jaccard, "variables_added": only(&after, &before),
        "variables_removed": only(&before, &after),
    })
}

fn ranking(of: Inputs<'_>) -> Value {
    let ranking: Vec<&str> = of.items("ranking").iter().map(|key| key.as_str().unwrap()).collect();
    let grade = |(key, grade): (&String, &Value)| (key.clone(), u8::try_from(grade.as_u64().unwrap()).unwrap());
    let wanted: metrics::Wanted = of.get("judgements").as_object().unwrap().iter().map(grade).collect();
    json!({
        "ndcg": metrics::ndcg(&ranking, &wanted), "reciprocal_rank": metrics::reciprocal_rank(&ranking, &wanted),
        "recall": metrics::recall(&ranking, &wanted),
    })
}
