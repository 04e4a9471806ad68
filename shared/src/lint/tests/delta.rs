//! What is found in one version of a prompt and not in another.
use super::given;
use crate::lint::{LintDelta, Options, Rule, RuleChange, Suppression, tally};

fn delta(before: &str, after: &str, options: &Options) -> LintDelta {
    let tally = |text| tally(&given(text).text(), options);
    tally(after).since(&tally(before))
}

fn changes(changes: &[RuleChange]) -> Vec<(&'static str, usize)> {
    changes.iter().map(|change| (change.rule.id(), change.count)).collect()
}

#[test]
fn what_appeared_and_what_is_gone_is_told_by_rule() {
    let before = "Write a poem in three lines.\nTODO: a\nTODO: b\n```\nnever closed";
    let after = "Write a poem in three lines.\nTODO: a\n\nReach me at a.b@mail.com and c.d@mail.com.";
    let found = delta(before, after, &Options::default());
    assert_eq!(changes(&found.appeared), [("X02", 2)]);
    assert_eq!(changes(&found.gone), [("S02", 1), ("C08", 1)]);
    assert_eq!((found.before.errors, found.before.warnings, found.after.errors, found.after.warnings), (3, 0, 1, 2));
    assert_eq!(found.after.score, found.before.score + 30);
}

#[test]
fn what_only_moved_or_was_worded_anew_is_no_change() {
    let before = "Write a poem.\nTODO: a\n\nAnswer {{x}.\n";
    let found =
        delta(before, &format!("# Task\n\nBe kind.\n\n{}", before.replace("TODO: a", "TODO: b")), &Options::default());
    assert_eq!((changes(&found.appeared), changes(&found.gone)), (vec![], vec![]));
    assert_eq!(found.before, found.after);
}

#[test]
fn findings_that_a_report_would_not_list_are_counted_too() {
    let text = |count| "Write a poem.\n".to_owned() + &"TODO: a\n".repeat(count);
    let found = delta(&text(30), &text(35), &Options::default());
    assert_eq!((changes(&found.appeared), found.after.errors), (vec![("C08", 5)], 35));
}

#[test]
fn a_rule_that_does_not_count_does_not_change_anything() {
    let reason = "why".to_owned();
    let suppression = Suppression { rule: Rule::LeftoverMarker, reason, suppressed_by: None, suppressed_at: None };
    let options = Options { suppressions: vec![suppression], ..Options::default() };
    let found = delta("Write a poem.", "Write a poem.\nTODO: a", &options);
    assert_eq!((changes(&found.appeared), found.after.errors), (vec![], 0));
    assert_eq!(found.before, found.after);
}
