//! Each format that carries the name of an engine, beside that engine: Jinja2 3.1.6, chevron for Mustache, Python itself.
//!
//! What differs must be a rule that `deploy/TEMPLATES.md` names, or a refusal; silence is the only wrong answer. The engines
//! are installed once under `target/`; where that cannot be done the comparison is left out, and says so.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rand::{
    SeedableRng,
    rngs::StdRng,
    seq::{IndexedRandom, IteratorRandom},
};
use serde_json::{Map, Value, json};
use shared::templates::{Allowance, Given, InputSchema, Template, TemplateFormat, bind};
use support::{figure, variable};

/// How many templates a corpus has at least.
const TEMPLATES_MIN: usize = 150;

#[tokio::test]
async fn jinja2_is_jinja2_or_refuses() {
    compare(TemplateFormat::Jinja2, cases(include_str!("jinja2.json"))).await;
}

#[tokio::test]
async fn mustache_is_mustache_or_refuses() {
    compare(TemplateFormat::Mustache, cases(include_str!("mustache.json"))).await;
}

#[tokio::test]
async fn fstring_is_the_format_of_python_or_refuses() {
    compare(TemplateFormat::Fstring, cases(include_str!("fstring.json"))).await;
}

#[tokio::test]
async fn any_specification_is_that_of_python_or_is_refused() {
    let mut random = StdRng::seed_from_u64(variable("SEED", 7));
    let cases = (0..variable("CASES", 4000)).map(|_| specified(&mut random)).collect();
    compare(TemplateFormat::Fstring, cases).await;
}

/// A value, converted or not, behind a specification out of all there are; most of them suit some kind of value.
fn specified(random: &mut StdRng) -> Case {
    const PARTS: [&[&str]; 8] = [
        &["", "", "<", ">", "^", "=", "*^", "0>", "0=", "é<", "}"],
        &["", "", "+", "-", " "],
        &["", "", "", "#"],
        &["", "", "0"],
        &["", "1", "10", "25"],
        &["", "", "", ",", "_"],
        &["", "", ".0", ".1", ".2", ".10"],
        &["", "s", "d", "f", "e", "g", "x", "X", "b", "o", "c", "n", "%", "E", "G", "F"],
    ];
    let values = json!({
        "text": "héllo", "nothing": "", "whole": 1_234_567, "debt": -42, "zero": 0, "true": true, "list": [1, "a"],
        "part": 2.71928, "half": -0.5, "round": 100.0, "small": 1e-7, "large": 12_345_678_901_234_568.0, "nil": null,
    });
    let Value::Object(values) = values else { unreachable!() };
    let name = values.keys().choose(random).unwrap().clone();
    let conversion = *["", "", "", "!s", "!r", "!a"].choose(random).unwrap();
    let specification: String = PARTS.iter().map(|part| *part.choose(random).unwrap()).collect();
    let values = Map::from_iter([(name.clone(), values[&name].clone())]);
    Case { text: format!("a{{{{{{{name}{conversion}:{specification}}}"), values, rule: None }
}

/// A template, its values, and the rule by which it may differ.
struct Case {
    text: String,
    values: Map<String, Value>,
    rule: Option<String>,
}

fn cases(corpus: &str) -> Vec<Case> {
    let corpus: Value = serde_json::from_str(corpus).unwrap();
    let case = |template: &Value| {
        let mut values = corpus["values"].as_object().unwrap().clone();
        values.extend(template["values"].as_object().cloned().unwrap_or_default());
        let text = |key: &str| template[key].as_str().map(str::to_owned);
        Case { text: text("text").unwrap(), values, rule: text("rule") }
    };
    corpus["templates"].as_array().unwrap().iter().map(case).collect()
}

async fn compare(format: TemplateFormat, cases: Vec<Case>) {
    assert!(cases.len() >= TEMPLATES_MIN, "{format}: {} templates", cases.len());
    let Some(theirs) = references(format, &cases) else { return };
    let documented = documented();
    let (mut counts, mut wrong) = (BTreeMap::<&str, usize>::new(), String::new());
    for (case, theirs) in cases.iter().zip(theirs) {
        let ours = filled(format, case).await;
        let outcome = match (&ours, theirs["text"].as_str()) {
            (Ok(ours), Some(theirs)) if ours == theirs => "equal",
            (Err(_), None) => "refused by both",
            (Err(_), Some(_)) => "refused",
            _ if case.rule.as_ref().is_some_and(|rule| documented.contains(rule)) => "different by a rule",
            _ => "silently different",
        };
        let is_idle = case.rule.is_some() && outcome != "different by a rule";
        if outcome == "silently different" || is_idle {
            writeln!(wrong, "{:?}: {outcome}\n  ours   {ours:?}\n  theirs {theirs}", case.text).unwrap();
        }
        *counts.entry(outcome).or_default() += 1;
    }
    figure(&format.to_string(), format!("{} templates: {counts:?}", cases.len()));
    assert!(wrong.is_empty(), "{format}:\n{wrong}");
}

/// The template filled as a prompt is, or why not.
async fn filled(format: TemplateFormat, case: &Case) -> Result<String, String> {
    let template = Template::parse(format, &case.text, None).map_err(|fault| fault.detail)?;
    let given = Given::Json(case.values.clone());
    let bound = bind(template.demands(), &InputSchema::new(), given).map_err(|error| error.to_string())?;
    let filled = template.fill(&bound, &mut Allowance::default()).await;
    filled.map_err(|unfilled| unfilled.into_error("/content").to_string())
}

/// The rules that the table of differences names.
fn documented() -> BTreeSet<String> {
    let page = std::fs::read_to_string(top().join("deploy/TEMPLATES.md")).unwrap();
    let named =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned()));
    named.collect()
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What the engine makes of the templates; nothing, where it cannot be had.
fn references(format: TemplateFormat, cases: &[Case]) -> Option<Vec<Value>> {
    let python = Command::new(top().join("deploy/setup-template-engines.sh")).output().unwrap();
    if !python.status.success() {
        let why = String::from_utf8_lossy(&python.stderr).into_owned();
        assert!(std::env::var_os("CI").is_none(), "the template engines cannot be installed: {why}");
        figure("LEFT OUT", format!("{format} was not compared with its engine, which cannot be installed: {why}"));
        return None;
    }
    let script = top().join("tests/it/templates/references.py");
    let mut engine = Command::new(String::from_utf8(python.stdout).unwrap().trim())
        .args([script.as_os_str(), format.name().as_ref()])
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = engine.stdin.take().unwrap();
    let lines: Vec<String> =
        cases.iter().map(|case| json!({ "text": case.text, "values": case.values }).to_string()).collect();
    let writing = std::thread::spawn(move || stdin.write_all((lines.join("\n") + "\n").as_bytes()));
    let output = engine.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "{format}: the engine failed");
    let answers: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    Some(answers)
}
