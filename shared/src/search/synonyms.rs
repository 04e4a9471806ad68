//! Words that mean about the same.
use std::{collections::HashMap, sync::LazyLock};

use super::{expression::Phrase, words};

static GROUPS: LazyLock<HashMap<String, Vec<Phrase>>> = LazyLock::new(|| read(include_str!("synonyms.txt")));

/// What else may stand for a term, or for several with spaces between them.
pub(super) fn of(terms: &str) -> &'static [Phrase] {
    GROUPS.get(terms).map_or(&[], Vec::as_slice)
}

fn read(text: &str) -> HashMap<String, Vec<Phrase>> {
    let mut synonyms: HashMap<String, Vec<Phrase>> = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let group: Vec<Phrase> =
            line.split(',').map(|name| Phrase::of(&words::words(name).collect::<Vec<_>>())).collect();
        for one in &group {
            let its = synonyms.entry(one.terms.join(" ")).or_default();
            its.extend(group.iter().filter(|other| *other != one).cloned());
        }
    }
    synonyms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_leads_from_each_word_to_the_others() {
        let terms = |term: &str| of(term).iter().map(|phrase| phrase.terms.join(" ")).collect::<Vec<_>>();
        assert!(terms("db").contains(&words::stem("database")));
        assert!(terms("moder").contains(&"guardrail".to_owned()));
        assert!(terms("regex").contains(&"regular express".to_owned()));
        assert!(terms("kubernet").contains(&"k 8 s".to_owned()) && terms("k 8 s").contains(&"kubernet".to_owned()));
        assert!(terms("xyzzy").is_empty());
        assert!(GROUPS.values().flatten().all(|phrase| !phrase.terms.is_empty()));
    }
}
