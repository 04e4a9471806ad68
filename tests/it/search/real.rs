//! A collection of real prompts: each is found by its name, also when one letter of it is wrong.
use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use support::{TestApp, real_prompts};

use super::{names, say, search};

/// Shorter words are not taken for typos.
const LETTERS_MIN: usize = 4;

async fn filled(rows: &[(String, String)]) -> TestApp {
    let test = TestApp::api().await;
    for (name, text) in rows {
        test.prompt("imported", name, text).await;
    }
    test
}

/// Where a prompt stands among the hits, from 1.
async fn place(test: &TestApp, query: &str, name: &str) -> Option<usize> {
    let answer = search(test, json!({ "query": query, "limit": 10 })).await;
    names(&answer).iter().position(|found| found == name).map(|place| place + 1)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// One letter left out, put in, changed, or two swapped, within the word.
fn misspelt(word: &str, random: &mut StdRng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let place = random.random_range(1..letters.len() - 1);
    let letter = char::from(random.random_range(b'a'..=b'z'));
    match random.random_range(0..4) {
        0 => _ = letters.remove(place),
        1 => letters.insert(place, letter),
        2 => letters[place] = letter,
        // Both are inner ones.
        _ => {
            let place = place.min(letters.len() - 3);
            letters.swap(place, place + 1);
        }
    }
    letters.into_iter().collect()
}

/// The name with a typo in its longest word. What makes another word of the collection is no typo.
fn with_typo(name: &str, known: &BTreeSet<String>, random: &mut StdRng) -> Option<String> {
    let longest = longest(name)?;
    for _ in 0..100 {
        let wrong = misspelt(longest, random);
        if wrong.chars().count() >= LETTERS_MIN && !known.contains(&wrong.to_lowercase()) {
            return Some(name.replacen(longest, &wrong, 1));
        }
    }
    None
}

/// The first of the longest words that are long enough.
fn longest(name: &str) -> Option<&str> {
    let long = words(name).filter(|word| word.chars().count() >= LETTERS_MIN);
    long.reduce(|best, word| if word.chars().count() > best.chars().count() { word } else { best })
}

/// How often each place was taken.
fn tell(what: &str, places: &[Option<usize>]) {
    let count = |wanted: fn(&Option<usize>) -> bool| places.iter().filter(|place| wanted(place)).count();
    say(&format!(
        "\n{what}: {} first, {} second, {} third, {} later, {} missed, of {}\n",
        count(|place| *place == Some(1)),
        count(|place| *place == Some(2)),
        count(|place| *place == Some(3)),
        count(|place| place.is_some_and(|place| place > 3)),
        count(Option::is_none),
        places.len()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_real_prompt_is_found_by_its_name_and_by_its_name_misspelt() {
    let Some(rows) = real_prompts() else { return };
    let test = filled(&rows).await;
    let mut wrong = Vec::new();

    let mut places = Vec::new();
    for (name, _) in &rows {
        let place = place(&test, name, name).await;
        places.push(place);
        if place != Some(1) {
            wrong.push(format!("`{name}`: {place:?}"));
        }
    }
    tell("real prompts by name", &places);

    let known: BTreeSet<String> =
        rows.iter().flat_map(|(name, text)| words(name).chain(words(text))).map(str::to_lowercase).collect();
    let mut random = StdRng::seed_from_u64(213);
    let mut places = Vec::new();
    for (name, _) in &rows {
        let Some(typed) = with_typo(name, &known, &mut random) else { continue };
        let place = place(&test, &typed, name).await;
        places.push(place);
        if place.is_none_or(|place| place > 3) {
            wrong.push(format!("`{typed}` for `{name}`: {place:?}"));
        }
    }
    tell("real prompts by a name with a typo", &places);
    assert!(places.len() + 5 > rows.len(), "too few names could be misspelt");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, i64::try_from(rows.len()).unwrap());
}
