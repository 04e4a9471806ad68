//! What a template asks of its variables: which it must be given, and which may be `null`.
use std::collections::HashMap;

/// What is asked of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The template cannot be filled without a value: it prints the variable, and has nothing to say in its place.
    pub required: bool,
    /// `null` is a value that the template knows what to do with. An optional variable may always be `null`.
    pub nullable: bool,
}

/// The variables of one or more texts, in order of first use.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    names: Vec<String>,
    of: HashMap<String, Demand>,
}

impl Demands {
    /// A use of a variable. One use that demands a value is enough; and one that knows `null`.
    pub(super) fn add(&mut self, name: &str, demand: Demand) {
        if let Some(known) = self.of.get_mut(name) {
            known.required |= demand.required;
            known.nullable |= demand.nullable;
        } else {
            self.names.push(name.to_owned());
            self.of.insert(name.to_owned(), demand);
        }
    }

    /// A use that demands a value.
    pub(super) fn demand(&mut self, name: &str) {
        self.add(name, Demand { required: true, nullable: false });
    }

    /// The variables of another text as well.
    pub fn extend(&mut self, other: &Self) {
        for name in &other.names {
            self.add(name, other.of[name]);
        }
    }

    /// The names, in order of first use.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is asked of a variable; nothing of one that is not used.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Demand> {
        self.of.get(name).copied()
    }

    /// The names of the variables that the texts can be filled without.
    pub fn optional(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| !self.of[*name].required)
    }
}
