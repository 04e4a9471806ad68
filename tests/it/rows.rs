//! Every row of the register of bad input has a test with its number.
use std::collections::{BTreeMap, BTreeSet};

use syn::Item;

use crate::sources::{sources, top};

/// The numbers in the name of a test: `row_33_37_who_is_refused`.
fn numbers(name: &str) -> Vec<u32> {
    let parts = name.strip_prefix("row_").into_iter().flat_map(|rest| rest.split('_'));
    parts.map_while(|part| part.parse().ok()).collect()
}

#[test]
fn every_row_of_bad_input_has_a_test_and_every_number_a_row() {
    let register = std::fs::read_to_string(top().join("tests/BAD_INPUT.md")).unwrap();
    let first = |line: &str| line.strip_prefix("| ")?.split(' ').next()?.parse::<u32>().ok();
    let rows: BTreeSet<u32> = register.lines().filter_map(first).collect();
    assert_eq!(rows.len(), 85, "rows are neither given up nor numbered anew");

    let mut tests: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for source in sources("tests/it") {
        for item in source.items() {
            let Item::Fn(function) = item else { continue };
            let name = function.sig.ident.to_string();
            let is_test = function.attrs.iter().any(|attr| attr.path().segments.last().unwrap().ident == "test");
            for number in numbers(&name) {
                assert!(is_test, "{name} is no test");
                tests.entry(number).or_default().push(format!("{}: {name}", source.path));
            }
        }
    }
    let tested: BTreeSet<u32> = tests.keys().copied().collect();
    let (without, unknown) = (&rows - &tested, &tested - &rows);
    assert!(without.is_empty(), "rows without a test: {without:?}");
    assert!(unknown.is_empty(), "numbers without a row: {unknown:?}: {tests:?}");
}
