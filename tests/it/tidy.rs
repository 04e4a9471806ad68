//! The rules of the house, as ARCHITECTURE.md states them, held by reading the sources.
use std::collections::BTreeMap;

use syn::{ImplItem, Item, spanned::Spanned};

use crate::sources::{Source, product, sources};

const LINES_MAX: usize = 400;
const HANDLER_LINES_MAX: usize = 15;

/// The rooms of `shared` by floor: a room uses lower ones, never its neighbours. What is not listed is the
/// ground floor.
const FLOORS: [(&str, u8); 23] = [
    ("access", 2),
    ("audit", 1),
    ("versions", 1),
    ("notifications", 1),
    ("prompts", 2),
    ("analytics", 4),
    ("drift", 5),
    ("suggestions", 3),
    ("lifecycle", 3),
    ("relationships", 3),
    ("bulk", 4),
    ("refinement", 4),
    ("webhooks", 2),
    ("administration", 5),
    ("serving", 5),
    ("advice", 6),
    ("cache", 0),
    ("idempotency", 0),
    ("llm", 0),
    ("search", 0),
    ("secret", 0),
    ("stats", 0),
    ("ab_testing", 3),
];

fn refuse(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

fn offenders(offends: impl Fn(&Source) -> bool) -> Vec<String> {
    product().iter().filter(|source| offends(source)).map(|source| source.path.clone()).collect()
}

/// The room a file of `shared` belongs to: its folder, or its own name.
fn room(path: &str) -> &str {
    let rest = path.strip_prefix("shared/src/").unwrap();
    rest.split(['/', '.']).next().unwrap()
}

#[test]
fn rooms_use_lower_floors_only() {
    let floors = BTreeMap::from(FLOORS);
    let floor = |room: &str| floors.get(room).copied().unwrap_or(0);
    let mut found = Vec::new();
    for source in sources("shared/src").iter().filter(|source| source.name() != "lib.rs") {
        let (own, imports) = (room(&source.path), source.imports());
        for (other, height) in FLOORS.into_iter().filter(|(other, _)| *other != own) {
            let used =
                imports.iter().any(|import| import == other) || source.code().contains(&format!("crate::{other}::"));
            // The ground floor may use its own.
            if used && height > 0 && height >= floor(own) {
                found.push(format!("{}: floor {} uses `{other}` on floor {height}", source.path, floor(own)));
            }
        }
    }
    refuse("a room uses a neighbour or a higher floor", &found);
}

#[test]
fn every_room_has_a_floor() {
    let floors = BTreeMap::from(FLOORS);
    let with_tables: Vec<String> = sources("shared/src")
        .iter()
        .filter(|source| source.name() == "repository.rs")
        .map(|source| room(&source.path).to_owned())
        .filter(|room| !floors.contains_key(room.as_str()))
        .collect();
    refuse("a room with tables is not on the list of floors", &with_tables);
}

#[test]
fn sql_stands_in_repositories_the_ledger_and_engine_files() {
    let verbs = ["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM ", "\"\n    SELECT "];
    // The database's own heartbeat is an exception, and what reads and copies any table, whatever is in it.
    let found = offenders(|source| {
        if source.path == "shared/src/db/tables.rs" {
            return false;
        }
        let code = source.code().replace("\"SELECT 1\"", "");
        !source.may_hold_sql() && verbs.iter().any(|verb| code.contains(verb))
    });
    refuse("SQL outside a repository, the ledger or a file named after an engine", &found);
}

#[test]
fn statements_are_constants() {
    let calls = [".execute(\"", ".fetch_one(\"", ".fetch_optional(\"", ".fetch_all(\""];
    let found = offenders(|source| {
        source.may_hold_sql()
            && !["sqlite.rs", "postgres.rs"].contains(&source.name())
            && calls.iter().any(|call| source.code().replace('\n', "").replace("( ", "(").contains(call))
    });
    refuse("a statement that is no constant, so no test prepares it", &found);
}

#[test]
fn every_number_is_named_in_one_file_and_told_somewhere() {
    let names = "shared/src/telemetry/metric.rs";
    let found = offenders(|source| source.path != names && source.code().contains("\"prompt_store_"));
    refuse("the name of a metric outside telemetry/metric.rs", &found);
    let told: String = product().iter().filter(|source| source.path != names).map(Source::code).collect();
    let sources = product();
    let declared = sources.iter().find(|source| source.path == names).unwrap().code();
    let constants = declared.lines().filter_map(|line| line.trim().split_once(": ").map(|(constant, _)| constant));
    let constants = constants.filter(|name| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'));
    let silent: Vec<String> = constants.filter(|name| !told.contains(name)).map(str::to_owned).collect();
    refuse("a metric that nobody tells", &silent);
}

#[test]
fn sqlx_is_named_in_db_only() {
    let found = offenders(|source| {
        !source.path.starts_with("shared/src/db/") && source.code().replace("#[sqlx(", "").contains("sqlx")
    });
    refuse("sqlx outside shared/src/db", &found);
}

#[test]
fn apalis_is_named_in_two_files() {
    let allowed = ["shared/src/jobs/doorbell.rs", "worker/src/runner.rs"];
    let names = ["apalis::", "apalis_core::", "apalis_redis::"];
    let found = offenders(|source| {
        !allowed.contains(&source.path.as_str()) && names.iter().any(|name| source.code().contains(name))
    });
    refuse("apalis outside the doorbell and the runner", &found);
}

#[test]
fn backoff_is_named_in_one_file() {
    let found = offenders(|source| source.path != "shared/src/retry.rs" && source.code().contains("backoff::"));
    refuse("backoff outside shared/src/retry.rs", &found);
}

#[test]
fn the_domain_does_not_know_http() {
    let found = offenders(|source| source.path.starts_with("shared/") && source.code().contains("axum"));
    refuse("axum in shared", &found);
}

#[test]
fn status_codes_of_errors_are_chosen_in_one_file() {
    let found = offenders(|source| {
        source.path.starts_with("api/src/routes/") && source.code().contains("StatusCode::from_u16")
            || (source.path != "api/src/problem.rs" && source.code().contains("Error::Conflict { .. } =>"))
    });
    refuse("an error becomes a status outside problem.rs", &found);
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut found = Vec::new();
    for source in product().iter().chain(&sources("tests")) {
        if !source.text.starts_with("//! ") {
            found.push(format!("{}: does not open with `//!`", source.path));
        }
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            found.push(format!("{}: {lines} lines, more than {LINES_MAX}", source.path));
        }
    }
    refuse("files", &found);
}

#[test]
fn folders_and_files_have_telling_names() {
    let vague = ["util", "utils", "helper", "helpers", "common", "manager", "misc"];
    let found = offenders(|source| source.path.split(['/', '.']).any(|part| vague.contains(&part)));
    refuse("names that say nothing", &found);
}

#[test]
fn handlers_decode_call_and_respond() {
    let mut found = Vec::new();
    for source in sources("api/src/routes") {
        for item in source.items() {
            let Item::Fn(function) = item else { continue };
            let annotated = function.attrs.iter().any(|attr| attr.path().segments.len() == 2);
            let lines = function.block.span().end().line - function.block.span().start().line;
            if annotated && lines > HANDLER_LINES_MAX + 1 {
                found.push(format!("{}: `{}` has {lines} lines", source.path, function.sig.ident));
            }
        }
    }
    refuse("handlers that do more than decode, call and respond", &found);
}

#[test]
fn what_decides_about_a_request_goes_by_its_route_and_not_by_how_its_address_is_written() {
    // What is logged and told in a problem is the address as it came.
    let told = [("api/src/middleware.rs", 1), ("api/src/extract.rs", 1)];
    let mut found = Vec::new();
    for source in sources("api/src") {
        let code = source.code().replace(char::is_whitespace, "");
        let reads: usize =
            ["uri().path()", "uri.path()", "whole).path()"].iter().map(|read| code.matches(read).count()).sum();
        let known = told.iter().find(|(path, _)| *path == source.path).map_or(0, |(_, reads)| *reads);
        if reads != known {
            found.push(format!("{}: {reads} times", source.path));
        }
    }
    refuse("the path of a request is read where its route (`MatchedPath`) should be", &found);
}

#[test]
fn repositories_are_private() {
    let mut found = Vec::new();
    for source in sources("shared/src").iter().filter(|source| source.name() == "mod.rs") {
        if source.code().contains("pub mod repository") {
            found.push(source.path.clone());
        }
    }
    refuse("a repository that others can reach", &found);
}

#[test]
fn nothing_waits_by_sleeping_in_tests() {
    let mut found = Vec::new();
    for source in sources("tests/it") {
        // This file names what it looks for.
        if source.name() != "tidy.rs" && source.text.contains("sleep(") {
            found.push(source.path.clone());
        }
    }
    refuse("a test that sleeps; wait for a condition with `until`", &found);
}

#[test]
fn operations_on_the_whole_app_do_not_take_a_transaction() {
    let mut found = Vec::new();
    let takes_both = |signature: &syn::Signature| {
        let text: Vec<String> = signature
            .inputs
            .iter()
            .map(|input| match input {
                syn::FnArg::Typed(typed) => match &*typed.ty {
                    syn::Type::Reference(reference) => match &*reference.elem {
                        syn::Type::Path(path) => path.path.segments.last().unwrap().ident.to_string(),
                        _ => String::new(),
                    },
                    _ => String::new(),
                },
                syn::FnArg::Receiver(_) => String::new(),
            })
            .collect();
        text.contains(&"App".to_owned()) && text.contains(&"Tx".to_owned())
    };
    for source in sources("shared/src") {
        for item in source.items() {
            let signatures: Vec<syn::Signature> = match item {
                Item::Fn(function) => vec![function.sig],
                Item::Impl(block) => {
                    let methods = block.items.into_iter();
                    methods
                        .filter_map(|item| if let ImplItem::Fn(method) = item { Some(method.sig) } else { None })
                        .collect()
                }
                _ => Vec::new(),
            };
            for signature in signatures.iter().filter(|signature| takes_both(signature)) {
                found.push(format!("{}: `{}`", source.path, signature.ident));
            }
        }
    }
    refuse("a function that takes both `&App` and `&mut Tx`", &found);
}

#[test]
fn every_engine_has_every_migration() {
    let names = |engine: &str| {
        let folder = crate::sources::top().join("migrations").join(engine);
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        files.collect::<std::collections::BTreeSet<String>>()
    };
    assert!(names("sqlite").len() >= 8);
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn every_test_that_the_table_of_defects_names_is_there() {
    let table = std::fs::read_to_string(crate::sources::top().join("tests/DEFECTS.md")).unwrap();
    let all: Vec<Source> = ["api", "shared", "worker", "tests"].into_iter().flat_map(sources).collect();
    let is_module = |name: &str| all.iter().any(|source| source.path.split(['/', '.']).any(|part| part == name));
    let is_function = |start: String| all.iter().any(|source| source.text.contains(&start));
    let is_there = |named: &str| {
        let mut parts: Vec<&str> = named.split("::").flat_map(|part| part.split('/')).collect();
        match parts.pop().unwrap() {
            "*" => parts
                .iter()
                .rev()
                .find(|part| **part != "tests")
                .is_some_and(|it| is_module(it.trim_end_matches(".rs"))),
            name => {
                is_function(name.strip_suffix('*').map_or_else(|| format!("fn {name}("), |start| format!("fn {start}")))
            }
        }
    };
    let tests = table.lines().filter_map(|line| line.split(" | ").nth(2));
    let quoted = tests.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let names: Vec<&str> = quoted.filter(|quoted| quoted.contains("::") || quoted.contains('_')).collect();
    assert!(names.len() > 100, "{}", names.len());
    refuse(
        "a test that is nowhere",
        &names.into_iter().filter(|name| !is_there(name)).map(str::to_owned).collect::<Vec<_>>(),
    );
}
