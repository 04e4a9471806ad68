//! The formats of templates: their names, and how a format is written down where it lasts.
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the content of a prompt marks its variables. A format that carries the name of an engine does what that engine does,
/// or refuses; what each fills and refuses stands in `deploy/TEMPLATES.md`.
///
/// - `mustache`: Mustache without HTML escaping: `{{name}}`, `{{a.b}}`, `{{{name}}}`, `{{&name}}`, sections, inverted sections and
///   comments. Partials, other delimiters and Handlebars are refused; braces around what is no name, as in JSON, are text.
/// - `jinja2`: Jinja2 3.1.6, in a sandbox. Includes, inheritance, methods and filters without a bound are refused.
/// - `fstring`: Python's `str.format` on names: `{name}`, `{name!r}`, `{name:>10.2f}`, `{{` and `}}` for braces. Attributes and
///   indexes are refused.
/// - `simple`: `{{ name }}`, and nothing else. So prompts are read that were kept as `mustache` before that was Mustache.
/// - `simple_fstring`: `{name}` of the declared variables, and nothing else. So are those that were kept as `fstring` before.
/// - `none`: the content is text, used as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateFormat {
    /// Mustache without HTML escaping: `{{name}}`, `{{a.b}}`, `{{{name}}}`, `{{&name}}`, `{{#section}}…{{/section}}`,
    /// `{{^inverted}}…{{/inverted}}`, `{{! comment }}`. No partials, and no other delimiters.
    #[default]
    Mustache,
    /// Jinja2, in a sandbox: without includes, inheritance and methods, and with limits.
    Jinja2,
    /// Python's `str.format` on names: `{name}`, `{name!r}`, `{name:>10}`, and `{{` and `}}` for braces. No attributes and
    /// no indexes.
    Fstring,
    /// `{{ name }}`, and nothing else: all other braces are text.
    Simple,
    /// `{name}`, and nothing else: all other braces are text, as is `{name}` that is not among the declared `variables`.
    SimpleFstring,
    /// The content is text, used as it is.
    None,
}

/// The mark of a version that was written since `mustache` and `fstring` behave as the engines of these names.
const ENGINE: i64 = 2;

impl TemplateFormat {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Mustache, Self::Jinja2, Self::Fstring, Self::Simple, Self::SimpleFstring, Self::None];

    /// The name of the format, as requests and answers write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mustache => "mustache",
            Self::Jinja2 => "jinja2",
            Self::Fstring => "fstring",
            Self::Simple => "simple",
            Self::SimpleFstring => "simple_fstring",
            Self::None => "none",
        }
    }

    /// The format as tables, hashes and exports write it: a name and an engine mark.
    ///
    /// `template_format` is inside the hash of every version, so what `mustache` and `fstring` once meant keeps these names
    /// there, without a mark; what they mean now carries the mark. Each format is one pair, and each pair one format.
    #[must_use]
    pub fn written(self) -> (&'static str, Option<i64>) {
        match self {
            Self::Simple => ("mustache", None),
            Self::SimpleFstring => ("fstring", None),
            Self::Mustache | Self::Fstring => (self.name(), Some(ENGINE)),
            Self::Jinja2 | Self::None => (self.name(), None),
        }
    }

    /// The format that [`written`](Self::written) wrote.
    ///
    /// # Errors
    /// The pair is of no format that this program knows.
    pub fn from_written(name: &str, engine: Option<i64>) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|format| format.written() == (name, engine));
        found.ok_or_else(|| match engine {
            None => anyhow::anyhow!("`{name}` is no template format that a version is written down with"),
            Some(engine) => anyhow::anyhow!("this program knows no template format `{name}` with the engine {engine}"),
        })
    }
}

impl fmt::Display for TemplateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TemplateFormat {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| anyhow::anyhow!("`{name}` is no template format: {}", names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_one_pair_of_name_and_engine_and_back() {
        let written = TemplateFormat::ALL.map(TemplateFormat::written);
        for (index, format) in TemplateFormat::ALL.into_iter().enumerate() {
            let (name, engine) = format.written();
            assert_eq!(TemplateFormat::from_written(name, engine).unwrap(), format);
            assert!(!written[..index].contains(&written[index]), "{format} is written as another");
        }
        for unknown in [("simple", None), ("mustache", Some(1)), ("jinja2", Some(ENGINE)), ("", None)] {
            assert!(TemplateFormat::from_written(unknown.0, unknown.1).is_err(), "{unknown:?}");
        }
    }

    #[test]
    fn what_was_written_before_engines_had_marks_keeps_its_rules() {
        let read = |name| TemplateFormat::from_written(name, None).unwrap();
        assert_eq!(
            ["mustache", "fstring", "jinja2", "none"].map(read),
            [TemplateFormat::Simple, TemplateFormat::SimpleFstring, TemplateFormat::Jinja2, TemplateFormat::None]
        );
    }
}
