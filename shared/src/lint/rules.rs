//! The rules: what each is called and how bad it is when a text breaks it.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The prompt does not do what its author means.
    Error,
    /// It probably does less well than it could.
    Warning,
    /// Worth a look.
    Info,
}

/// Makes the enum of rules and the tables that belong to it from one list.
macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $id:tt, $name:literal, $severity:ident;)+) => {
        /// A rule, written as its id: `T01`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Rule { $($(#[$doc])* #[serde(rename = $id)] $variant),+ }

        impl Rule {
            /// Every rule, in the order of their ids within a group.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The id, which never changes.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }

            /// The name for people, in kebab-case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// How bad it is to break the rule, unless the finding knows better.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
        }
    };
}

rules! {
    /// A placeholder names a variable that is not declared.
    UndeclaredVariable = "T01", "undeclared-variable", Error;
    /// A variable is declared and stands nowhere.
    UnusedVariable = "T02", "unused-variable", Warning;
    /// Braces that were meant as a placeholder and are none.
    MalformedPlaceholder = "T03", "malformed-placeholder", Error;
    /// Variables in a style that the template format does not fill.
    MixedPlaceholderStyles = "T04", "mixed-placeholder-styles", Warning;
    /// Two names that a person takes for one.
    ConfusableVariables = "T05", "confusable-variables", Warning;
    /// Nothing is said about a variable.
    UndescribedVariable = "T06", "undescribed-variable", Info;
    /// Text from outside stands in the middle of an instruction.
    UndelimitedInput = "T07", "undelimited-input", Warning;
    /// Text from outside can end what delimits it.
    BreakableDelimiter = "T08", "breakable-delimiter", Warning;
    /// What changes stands before much that does not, so that no cache helps.
    CacheUnfriendlyOrder = "T09", "cache-unfriendly-order", Info;
    /// A tag is opened and not closed, or the reverse.
    UnbalancedTag = "S01", "unbalanced-tag", Error;
    /// A code fence is opened and not closed.
    UnclosedFence = "S02", "unclosed-fence", Error;
    /// A heading with nothing under it.
    EmptySection = "S03", "empty-section", Warning;
    /// The same instruction twice.
    RepeatedInstruction = "S04", "repeated-instruction", Warning;
    /// A long text that nothing divides.
    UnstructuredLongPrompt = "S05", "unstructured-long-prompt", Info;
    /// Examples that do not look alike.
    InconsistentExamples = "S06", "inconsistent-examples", Warning;
    /// The text speaks of something that is not there.
    MissingExamples = "S07", "missing-examples", Warning;
    /// One example, which is taken for the rule.
    SingleExample = "S08", "single-example", Info;
    /// Nothing is asked for.
    NoTask = "C01", "no-task", Warning;
    /// Nothing says what the answer should look like.
    NoOutputFormat = "C02", "no-output-format", Info;
    /// Many words that say how much without saying it.
    VagueWording = "C03", "vague-wording", Info;
    /// Two instructions that cannot both be followed.
    ConflictingInstructions = "C04", "conflicting-instructions", Warning;
    /// Much about what not to do, less about what to do.
    ProhibitionsOnly = "C05", "prohibitions-only", Info;
    /// Capitals and exclamation marks.
    Shouting = "C06", "shouting", Info;
    /// The model is told to be several people.
    SeveralPersonas = "C07", "several-personas", Warning;
    /// A note to the author is still in it.
    LeftoverMarker = "C08", "leftover-marker", Error;
    /// A key, a token, a password.
    Secret = "X01", "secret", Error;
    /// Something that names a person.
    PersonalData = "X02", "personal-data", Warning;
    /// Characters that nobody sees.
    HiddenCharacters = "X03", "hidden-characters", Error;
    /// A phrase that overrides instructions.
    InjectionPhrase = "X04", "injection-phrase", Warning;
    /// More tokens than there is room for, or than there were.
    OverBudget = "B01", "over-budget", Warning;
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Rule {
    type Err = anyhow::Error;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|rule| rule.id() == id);
        found.ok_or_else(|| anyhow::anyhow!("`{id}` is no rule"))
    }
}
