//! A corpus of hostile Jinja2 templates, and what becomes of each.
//!
//! What is asserted is the outcome. The time is printed, and asserted only generously: these tests run unoptimised and
//! next to others.
use std::time::{Duration, Instant};

use minijinja::value::Value as EngineValue;
use minijinja::{Environment, ErrorKind};
use serde_json::{Map, Value, json};

use super::{Allowance, Bound, Fault, Template, TemplateFormat, Unfilled};
use crate::{computing, line::for_client};

const FORBIDDEN: &str = Fault::FORBIDDEN;
const LIMIT: &str = Fault::LIMIT;
const SYNTAX: &str = Fault::SYNTAX;
const RENDER: &str = Fault::RENDER;
/// The template is stopped by nothing, as it does no harm.
const HARMLESS: &str = "harmless";
/// Time decides whether it ends in itself or is stopped.
const EITHER: &str = "harmless or stopped";

/// A template and its outcome.
type Attack = (String, &'static str);

fn attacks(templates: &[(&str, &'static str)]) -> Vec<Attack> {
    templates.iter().map(|(template, outcome)| ((*template).to_owned(), *outcome)).collect()
}

/// What a template could reach for outside of itself.
fn reaching_out() -> Vec<Attack> {
    attacks(&[
        ("{% include '/etc/passwd' %}", FORBIDDEN),
        ("{% import 'x' as y %}", FORBIDDEN),
        ("{% from 'x' import y %}", FORBIDDEN),
        ("{% extends 'x' %}", FORBIDDEN),
        ("{% block a %}{% endblock %}", FORBIDDEN),
        ("{% do x.append(1) %}", FORBIDDEN),
        ("{% autoescape true %}{{ small }}{% endautoescape %}", FORBIDDEN),
        ("{% call f() %}{% endcall %}", FORBIDDEN),
        ("{% unknown %}", FORBIDDEN),
        ("{{ debug() }}", FORBIDDEN),
        ("{{ namespace(a=1) }}", FORBIDDEN),
        ("{{ dict(a=1) }}", FORBIDDEN),
        ("{{ lipsum() }}", FORBIDDEN),
        ("{{ cycler('a') }}", FORBIDDEN),
        ("{{ self.x() }}", FORBIDDEN),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", FORBIDDEN),
        ("{{ small.__init__.__globals__ }}", RENDER),
        ("{{ small.upper() }}", FORBIDDEN),
        ("{{ (small)() }}", FORBIDDEN),
        ("{{ range(*numbers) }}", FORBIDDEN),
        ("{% macro f(a) %}{% endmacro %}{{ f(**small) }}", FORBIDDEN),
        ("{{ small|attr('x') }}", FORBIDDEN),
        ("{{ small|safe }}", FORBIDDEN),
        ("{{ small is filter }}", FORBIDDEN),
        ("{{ small|map('+guard') }}", FORBIDDEN),
        ("{{ small|+guard }}", SYNTAX),
        ("{% set small.x = 1 %}", FORBIDDEN),
    ])
}

/// Values that are small to write and vast to walk.
fn growing() -> Vec<Attack> {
    let doubled = |step: &str, times: usize, end: &str| {
        format!("{{% set a = {step_0} %}}{}{end}", step.repeat(times), step_0 = "[1]")
    };
    let twice = "{% set a = a + a %}";
    let nested = "{% set a = [a, a] %}";
    let mut all = attacks(&[
        ("{{ 1 in [0] * 100000000 }}", LIMIT),
        ("{{ [0] * 100000000 == [0] * 100000000 }}", LIMIT),
        ("{{ [[0] * 100000000] == [[0] * 100000000] }}", LIMIT),
        ("{{ [0] * 100000000 }}", LIMIT),
        ("{{ ([0] * 100000000)[99999999] }}", LIMIT),
        ("{{ ([0] * 100000000)|length }}", LIMIT),
        ("{% for i in [0] * 100000000 %}{% endfor %}", LIMIT),
        ("{% if [0] * 100000000 < [0] * 100000000 %}{% endif %}", LIMIT),
        ("{{ (1,) * 100000000 }}", LIMIT),
        ("{{ 'a' * 100000000 }}", LIMIT),
        ("{{ small * 100000000 }}", LIMIT),
        ("{{ 'a' * 9223372036854775807 }}", LIMIT),
        ("{{ [numbers, numbers] * 100 == [numbers] }}", LIMIT),
        ("{{ [text] * 1000 }}", LIMIT),
        (
            "{{ [text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text] }}",
            LIMIT,
        ),
        ("{{ range(100000000) }}", LIMIT),
        ("{{ range(0, 9223372036854775807, 1) }}", LIMIT),
        ("{{ range(9223372036854775807, -9223372036854775807, -1) }}", LIMIT),
        ("{{ range(0, 1, 0) }}", RENDER),
        ("{{ range(5, 1, -9223372036854775807) }}", HARMLESS),
        ("{% for i in range(10000) %}{{ range(10000) }}{% endfor %}", LIMIT),
        ("{{ numbers[::-1][::-1][::-1][::-1][::-1] == numbers[::1][::1] }}", EITHER),
    ]);
    all.push((doubled(twice, 26, "{{ a }}"), LIMIT));
    all.push((doubled(twice, 26, "{{ 2 in a }}"), LIMIT));
    all.push((doubled(nested, 40, "{{ a }}"), LIMIT));
    all.push((doubled(nested, 40, "{% set b = a %}{{ [b] == [a] }}"), LIMIT));
    all.push((doubled("{% set a = [a] %}", 3000, "{{ a }}"), LIMIT));
    all.push((doubled("{% set a = {'k': a} %}", 2500, "{{ a|tojson }}"), LIMIT));
    all.push((doubled("{% set a = a[:] %}", 3000, "{{ a }}"), HARMLESS));
    all.push((doubled("{% set a = a|reverse %}", 2500, "{{ a }}"), HARMLESS));
    all.push((doubled("{% set a = [1]|map(attribute='z', default=a)|list %}", 20, "{{ a }}"), FORBIDDEN));
    all.push((format!("{{% set a = 'ab' %}}{}{{{{ a }}}}", "{% set a = a ~ a %}".repeat(40)), LIMIT));
    all.push((format!("{{% set a = 'ab' %}}{}", "{% set a %}{{ a }}{{ a }}{% endset %}".repeat(40)), LIMIT));
    all.push((format!("{{% set a = 'ab' %}}{}", "{% set a = a|replace('a', a) %}".repeat(40)), LIMIT));
    all.push((format!("{{% set a = 'ab' %}}{}", "{% set a = [a, a]|join(a) %}".repeat(40)), LIMIT));
    all.push((format!("{{% set a = 9 %}}{}{{{{ a }}}}", "{% set a = a * a %}".repeat(40)), RENDER));
    all
}

/// Single operations whose cost is more than linear, or linear in something large.
fn slow() -> Vec<Attack> {
    let in_loop = |body: &str| {
        format!("{{% for i in range(10000) %}}{{% for j in range(10) %}}{body}{{% endfor %}}{{% endfor %}}")
    };
    let mut all = attacks(&[
        ("{{ text|trim(text) }}", FORBIDDEN),
        ("{{ text|indent(1000000000) }}", LIMIT),
        ("{{ numbers|tojson(1000000000) }}", FORBIDDEN),
        ("{{ numbers|tojson(indent=5) }}", FORBIDDEN),
        ("{{ numbers|tojson(indent=4)|length }}", HARMLESS),
        ("{{ deep|tojson(indent=4) }}", HARMLESS),
        ("{{ deep }}{{ deep == deep }}{{ deep in [deep] }}", HARMLESS),
        ("{{ '%1000000000d'|format(1) }}", FORBIDDEN),
        ("{{ small|center(1000000000) }}", FORBIDDEN),
        ("{{ numbers|pprint }}", FORBIDDEN),
        ("{{ numbers|batch(1)|list }}", FORBIDDEN),
        ("{{ numbers|slice(100000000) }}", FORBIDDEN),
        ("{{ numbers|groupby('x') }}", FORBIDDEN),
        ("{{ numbers|sum(start=numbers) }}", FORBIDDEN),
        ("{{ numbers|sort|first }}", EITHER),
        ("{{ numbers|sort|length }}{{ numbers|unique|length }}", LIMIT),
        ("{{ numbers|sort(attribute=text) }}", FORBIDDEN),
        ("{{ numbers|map(small) }}", FORBIDDEN),
        ("{{ numbers|map('replace', text, '') }}", FORBIDDEN),
        ("{{ numbers|select(small) }}", FORBIDDEN),
        ("{{ numbers|select('in', text)|length }}", RENDER),
        ("{{ numbers|map('string')|join(text) }}", LIMIT),
        ("{{ text|replace('', text) }}", LIMIT),
        ("{{ text|replace('a', '<<<<<<<<<<') }}", LIMIT),
        ("{{ text|split('')|length }}", LIMIT),
        ("{{ text|list|length }}", LIMIT),
        ("{{ text|urlencode|upper|title|reverse|length }}", HARMLESS),
        ("{{ 1.5|round(2147483647) }}{{ 1.5|round(-2147483648) }}", HARMLESS),
        ("{{ 2 ** 99999999999 }}", RENDER),
        ("{{ 1 < 2 < 3 }}", FORBIDDEN),
        ("{{ 99999999999999999999999999999999999999999999 }}", SYNTAX),
        ("{% for i in [1] %}{{ loop.cycle() }}{% endfor %}", FORBIDDEN),
        ("{% for i in [1] %}{{ loop([1]) }}{% endfor %}", FORBIDDEN),
        ("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", FORBIDDEN),
        ("{% for i in numbers %}{{ loop.changed(loop) }}{{ [loop] }}{% endfor %}", LIMIT),
    ]);
    all.extend([
        (format!("{{{{ numbers|sort(attribute='{}') }}}}", "a,".repeat(30_000)), FORBIDDEN),
        (format!("{{{{ numbers|map(attribute='{}') }}}}", "a.".repeat(30_000)), FORBIDDEN),
        (in_loop("{% if text == twin %}{% endif %}"), LIMIT),
        (in_loop("{% if text < twin %}{% endif %}"), LIMIT),
        (in_loop("{% if twin in text %}{% endif %}"), LIMIT),
        (in_loop("{% if numbers == [numbers] %}{% endif %}"), LIMIT),
        (in_loop("{% if [numbers] == [numbers[:]] %}{% endif %}"), LIMIT),
        (in_loop("{% if small|replace(text, '') %}{% endif %}"), LIMIT),
        (in_loop("{% if small is startingwith(text) %}{% endif %}"), LIMIT),
        (in_loop("{% if text[100000] %}{% endif %}"), LIMIT),
        (in_loop("{% if text|upper %}{% endif %}"), LIMIT),
        (in_loop("{% if numbers|max %}{% endif %}"), LIMIT),
        (in_loop("{% if [text, twin]|sort %}{% endif %}"), LIMIT),
        (in_loop("{% if {text: 1, twin: 2} %}{% endif %}"), LIMIT),
        (in_loop("{{ text }}"), LIMIT),
        (in_loop("{% set a = text ~ text %}"), LIMIT),
        (in_loop("{% for k in range(1000) %}{% endfor %}"), LIMIT),
        (in_loop(""), EITHER),
        (format!("{{{{ {} }}}}", vec!["text == twin"; 60].join(" and ")), EITHER),
        (
            format!(
                "{{% set a = text ~ twin %}}{{% set b = text ~ twin %}}{}",
                "{% if a == b %}{% endif %}".repeat(2000)
            ),
            EITHER,
        ),
    ]);
    all
}

/// Templates that nest, to overflow the stack of whatever walks them by recursion.
fn nested() -> Vec<Attack> {
    let around = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    let tag = |expr: &str| format!("{{{{ {expr} }}}}");
    let mut all = vec![
        (tag(&"(".repeat(60_000)), LIMIT),
        (tag(&around("(", "1", ")", 30_000)), LIMIT),
        (tag(&around("[", "1", "]", 30_000)), LIMIT),
        (tag(&around("{'a':", "1", "}", 10_000)), LIMIT),
        (tag(&around("[", "1", "]", 150)), LIMIT),
        (tag(&around("[", "1", "]", 60)), LIMIT),
        (tag(&around("(", "1", ")", 60)), HARMLESS),
        (tag(&format!("{}1", "-".repeat(60_000))), LIMIT),
        (tag(&format!("{}1", "- ".repeat(199))), HARMLESS),
        (tag(&format!("{}1", "not ".repeat(15_000))), LIMIT),
        (tag(&format!("{}1", "not ".repeat(199))), HARMLESS),
        (tag(&format!("{}1", "1 if 0 else ".repeat(5_000))), LIMIT),
        (tag(&format!("{}1", "1 if 0 else ".repeat(70))), HARMLESS),
        (tag(&format!("1{}", "+1".repeat(30_000))), LIMIT),
        (tag(&format!("1{}", "+1".repeat(199))), HARMLESS),
        (tag(&format!("small{}", "|upper".repeat(10_000))), LIMIT),
        (tag(&format!("small{}", "|upper".repeat(199))), HARMLESS),
        (tag(&format!("small{}", ".a".repeat(30_000))), LIMIT),
        (tag(&format!("small{}", "[0]".repeat(20_000))), LIMIT),
        (tag(&format!("small{}", " is string".repeat(6_000))), LIMIT),
        (tag(&format!("range{}", "(1)".repeat(20_000))), LIMIT),
        ("{% if 1 %}".repeat(6_000), LIMIT),
        (around("{% if 1 %}", "x", "{% endif %}", 32), HARMLESS),
        (around("{% for i in [1] %}", "x", "{% endfor %}", 33), LIMIT),
        (around("{% set a %}", "x", "{% endset %}", 2_000), LIMIT),
        (around("{% filter upper %}", "x", "{% endfilter %}", 1_500), LIMIT),
        (around("{% with %}", "x", "{% endwith %}", 2_000), LIMIT),
        (format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(5_000)), LIMIT),
        (format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(64)), HARMLESS),
        (format!("{}{{{{ a }}}}{}", "{% macro a() %}".repeat(1_000), "{% endmacro %}".repeat(1_000)), LIMIT),
        ("x".repeat(64 * 1024 + 1), LIMIT),
        ("{".repeat(64 * 1024), LIMIT),
        ("{% set a = 1 %}".repeat(4_000), HARMLESS),
        ("{# \u{1F600} #}\u{4E2D}\u{6587}\n".repeat(3_000), HARMLESS),
        ("\n".repeat(64 * 1024), HARMLESS),
    ];
    all.extend(attacks(&[
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", LIMIT),
        ("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}", LIMIT),
        ("{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ g() }}", LIMIT),
        ("{% macro f(a) %}{{ f([a, a]) }}{% endmacro %}{{ f([1]) }}", LIMIT),
        ("{% macro f(a) %}{{ a }}{{ f(a ~ a) }}{% endmacro %}{{ f('abc') }}", LIMIT),
        ("{% macro f(a=f) %}{{ a }}{% endmacro %}{{ f() }}", RENDER),
    ]));
    all
}

/// Values of nearly 1 MiB, of the kinds that cost most.
fn values() -> Map<String, Value> {
    let mut deep = json!(1);
    for _ in 0..30 {
        deep = json!([deep]);
    }
    let values = json!({
        "small": "abc",
        "text": "a".repeat(256 * 1024),
        "twin": "a".repeat(256 * 1024),
        "numbers": vec![7; 80_000],
        "deep": deep,
    });
    values.as_object().unwrap().clone()
}

async fn outcome(template: &str, values: &Map<String, Value>) -> &'static str {
    let filled = match Template::parse(TemplateFormat::Jinja2, template, None) {
        Ok(parsed) => {
            let bound = Bound { values: values.clone(), ..Bound::default() };
            for_client(parsed.fill(&bound, &mut Allowance::default())).await
        }
        Err(fault) => Err(fault.into()),
    };
    match filled {
        Ok(text) if text.len() <= 1024 * 1024 => HARMLESS,
        Ok(_) => "too much output",
        Err(Unfilled::Fault(fault)) => fault.code,
        Err(Unfilled::Refused(_)) => "refused",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attack_ends_as_it_should_and_soon() {
    let values = values();
    let corpus: Vec<Attack> = [reaching_out(), growing(), slow(), nested()].into_iter().flatten().collect();
    assert!(corpus.len() >= 60, "only {} attacks", corpus.len());
    let mut slowest = (Duration::ZERO, String::new());
    let mut wrong = Vec::new();
    for (template, expected) in &corpus {
        let start: String = template.chars().take(80).collect();
        let before = Instant::now();
        let outcome = outcome(template, &values).await;
        // A render that was given up on ends a little later.
        computing::until_all_have_ended().await;
        let took = before.elapsed();
        let is_right = outcome == *expected || (*expected == EITHER && [HARMLESS, LIMIT].contains(&outcome));
        if !is_right || took > Duration::from_secs(20) {
            wrong.push(format!("{outcome} instead of {expected} after {took:?}: {start}"));
        }
        if took > slowest.0 {
            slowest = (took, start);
        }
    }
    println!("{} attacks; the slowest took {:?}: {}", corpus.len(), slowest.0, slowest.1);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What fuel alone lets through, small enough here to end at all.
const PAST_FUEL: [&str; 4] = [
    "{{ [[0] * 3000000] == [[0] * 3000000] }}",
    "{{ [[0] * 3000000] < [[0] * 3000000] }}",
    "{{ [0] * 3000000 in [[0] * 3000000] }}",
    "{{ (text ~ 'b')|trim(twin) }}",
];

#[tokio::test]
async fn the_sandbox_stops_what_fuel_alone_does_not() {
    let text = "a".repeat(20_000);
    let values = json!({ "text": text, "twin": format!("b{text}") });
    let values = values.as_object().unwrap();
    for template in PAST_FUEL {
        let mut env = Environment::new();
        env.set_fuel(Some(50_000));
        let fuel_alone =
            env.render_str(template, EngineValue::from_pairs([("text", text.as_str()), ("twin", &format!("b{text}"))]));
        assert!(!fuel_alone.is_err_and(|error| error.kind() == ErrorKind::OutOfFuel), "{template}");
        let outcome = outcome(template, values).await;
        assert!([LIMIT, FORBIDDEN].contains(&outcome), "{outcome}: {template}");
    }
}

#[test]
fn nesting_is_refused_before_it_overflows_a_small_stack() {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(|| {
        for (template, _) in nested() {
            let _ = Template::parse(TemplateFormat::Jinja2, &template, None);
        }
    });
    thread.unwrap().join().unwrap();
}
