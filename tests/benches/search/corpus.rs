//! Prompts that nobody wrote: made-up words, as often as words are, in topics.
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

const WORDS: usize = 30_000;
const TOPICS: usize = 200;
const WORDS_OF_A_TOPIC: usize = 60;

/// A language, and what is written in it.
pub(crate) struct Corpus {
    words: Vec<String>,
    topics: Vec<Vec<usize>>,
    random: StdRng,
}

impl Corpus {
    pub(crate) fn new() -> Self {
        let mut random = StdRng::seed_from_u64(5110);
        let words = (0..WORDS).map(word).collect();
        // A topic has rare words: the frequent ones belong to all.
        let topic = |_| (0..WORDS_OF_A_TOPIC).map(|_| random.random_range(WORDS / 50..WORDS)).collect();
        let topics = (0..TOPICS).map(topic).collect();
        Self { words, topics, random }
    }

    /// A prompt as a client sends it.
    pub(crate) fn prompt(&mut self, number: usize) -> Value {
        let topic = self.random.random_range(0..TOPICS);
        let length = self.random.random_range(60..160);
        let name = format!("{} {number}", self.text(topic, 3, 0.7));
        json!({
            "category": format!("area{}/topic{topic}", topic % 12),
            "name": name,
            "description": self.text(topic, 12, 0.5),
            "content": self.text(topic, length, 0.4),
            "tags": [self.words[self.topics[topic][0]], format!("kind{}", number % 7)],
            "template_format": "none",
        })
    }

    /// Some words of one topic.
    pub(crate) fn query(&mut self, words: usize) -> Vec<String> {
        let topic = self.random.random_range(0..TOPICS);
        // The first words of a topic are its most frequent ones.
        let numbers: Vec<usize> = (0..words).map(|_| self.of_topic(topic)).collect();
        numbers.into_iter().map(|number| self.words[number].clone()).collect()
    }

    /// A word with one letter too few.
    pub(crate) fn misspelt(&mut self, word: &str) -> String {
        let place = self.random.random_range(1..word.len() - 1);
        format!("{}{}", &word[..place], &word[place + 1..])
    }

    fn text(&mut self, topic: usize, words: usize, of_topic: f64) -> String {
        let mut numbers = Vec::with_capacity(words);
        for _ in 0..words {
            numbers.push(if self.random.random_bool(of_topic) { self.of_topic(topic) } else { self.frequent() });
        }
        numbers.into_iter().map(|number| self.words[number].as_str()).collect::<Vec<_>>().join(" ")
    }

    fn of_topic(&mut self, topic: usize) -> usize {
        let nearer: f64 = self.random.random();
        self.topics[topic][share(WORDS_OF_A_TOPIC, nearer * nearer)]
    }

    /// The word number `n` is about `n` times as rare as the first.
    fn frequent(&mut self) -> usize {
        let exponent: f64 = self.random.random();
        #[expect(clippy::cast_precision_loss, reason = "there are few words")]
        let rank = (WORDS as f64).powf(exponent) - 1.0;
        share(WORDS, rank / WORDS_AS_FLOAT)
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are few words")]
const WORDS_AS_FLOAT: f64 = WORDS as f64;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
fn share(of: usize, part: f64) -> usize {
    ((of as f64 * part) as usize).min(of - 1)
}

/// Syllables for digits. No ending that a stemmer would take.
fn word(number: usize) -> String {
    const CONSONANTS: &[u8] = b"bdfgklmnprtvz";
    const VOWELS: &[u8] = b"aiou";
    let mut word = String::new();
    let mut rest = number + CONSONANTS.len() * VOWELS.len();
    while rest > 0 {
        word.push(CONSONANTS[rest % CONSONANTS.len()] as char);
        rest /= CONSONANTS.len();
        word.push(VOWELS[rest % VOWELS.len()] as char);
        rest /= VOWELS.len();
    }
    word + "k"
}
