//! What an index is told of a text, for benches that write to it without the product.
/// The words of a text, in small letters: as many and as long as its terms are, near enough.
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Each word once.
pub fn distinct(texts: &[&str], quote: &str) -> String {
    let words: std::collections::BTreeSet<String> = texts.iter().flat_map(|text| words(text)).collect();
    words.iter().map(|word| format!("{quote}{word}{quote} ")).collect()
}

/// The words of the four fields as a tsvector is written.
pub fn vector(texts: &[&str]) -> String {
    let fields = texts.iter().zip(["A", "B", "C", "D"]).enumerate();
    let term =
        |(field, weight), (place, word): (usize, String)| format!("'{word}':{}{weight} ", field * 16 + place + 1);
    fields
        .flat_map(|(field, (text, weight))| {
            let terms = words(text).into_iter().enumerate().map(|word| term((field, weight), word));
            terms.collect::<Vec<_>>()
        })
        .collect()
}
