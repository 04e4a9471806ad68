//! The words that rules look for, as data: those of a language in a file of their own, the others here.
mod english;

use std::sync::LazyLock;

use super::phrases::Phrases;

/// What the rules know of a language. A prompt in any other skips the rules that need it.
pub(super) struct Lexicon {
    /// They say how much without saying it.
    pub(super) vague: Phrases,
    /// They forbid.
    pub(super) prohibitions: Phrases,
    /// They turn what follows into its opposite.
    pub(super) negations: Phrases,
    /// Verbs that start an instruction.
    pub(super) imperatives: Phrases,
    /// They may stand before such a verb.
    pub(super) fillers: Phrases,
    /// They say that something is asked for, wherever they stand.
    pub(super) tasks: Phrases,
    /// They say what the answer should look like.
    pub(super) formats: Phrases,
    /// In capitals, they shout.
    pub(super) directives: Phrases,
    /// They make the model someone, before an article.
    pub(super) personas: Phrases,
    /// What ends the description of who the model is.
    pub(super) persona_ends: Phrases,
    /// Articles and the like, which say nothing about whether two phrases are the same.
    pub(super) articles: Phrases,
    /// They make an instruction depend on something.
    pub(super) conditions: Phrases,
    /// Words for always, and for never.
    pub(super) polarities: (Phrases, Phrases),
    /// Instructions that cannot be followed both.
    pub(super) conflicts: Vec<(Phrases, Phrases)>,
    /// They override instructions.
    pub(super) overrides: Phrases,
    /// They show that an overriding phrase is only spoken of.
    pub(super) guards: Phrases,
    /// They announce examples further down, and point to ones further up.
    pub(super) examples_below: Phrases,
    pub(super) examples_above: Phrases,
    /// They point to a table.
    pub(super) tables: Phrases,
    /// They point to a section, whose name follows or stands before.
    pub(super) references: Phrases,
    /// They say that something stands within a tag.
    pub(super) contained: Phrases,
}

/// English.
pub(super) static ENGLISH: LazyLock<Lexicon> = LazyLock::new(english::lexicon);

/// Words that are frequent in a language and rare in the others, by which it is known. English is first.
#[rustfmt::skip]
pub(super) const FREQUENT: [&[&str]; 9] = [
    &[
        "the", "and", "of", "to", "is", "you", "that", "with", "for", "your", "this", "are", "be", "it", "as", "will",
        "should", "my", "or", "not", "from", "what", "if",
    ],
    &[
        "der", "die", "das", "und", "ist", "nicht", "ein", "eine", "mit", "sie", "für", "auf", "den", "dem", "zu",
        "wie", "auch", "werden", "ich", "bitte",
    ],
    &[
        "le", "la", "les", "et", "des", "est", "une", "du", "que", "pour", "dans", "vous", "pas", "sur", "avec",
        "votre", "au", "qui", "ce",
    ],
    &[
        "el", "los", "las", "y", "una", "del", "que", "para", "por", "con", "su", "como", "pero", "más", "tu", "es",
        "al", "lo", "en",
    ],
    &[
        "il", "di", "che", "un", "per", "una", "sono", "della", "gli", "con", "non", "nel", "alla", "questo", "come",
        "più", "le",
    ],
    &[
        "o", "os", "as", "que", "uma", "não", "para", "com", "em", "do", "da", "dos", "das", "você", "seu", "ou",
        "mais", "por",
    ],
    &[
        "de", "het", "een", "en", "van", "niet", "voor", "dat", "je", "zijn", "met", "op", "aan", "ook", "wordt",
        "bij", "deze",
    ],
    &[
        "ve", "bir", "bu", "için", "ile", "olarak", "daha", "çok", "gibi", "ne", "mi", "değil", "olan",
    ],
    &[
        "i", "w", "na", "nie", "się", "jest", "to", "że", "do", "oraz", "jak", "dla", "przez", "po",
    ],
];

/// Tags of HTML, closed or not: a text about a page is full of them.
#[rustfmt::skip]
pub(super) const HTML: &[&str] = &[
    "a", "abbr", "address", "area", "article", "aside", "audio", "b", "base", "bdi", "bdo", "blockquote", "body",
    "br", "button", "canvas", "caption", "center", "cite", "code", "col", "colgroup", "data", "datalist", "dd", "del",
    "details", "dfn", "dialog", "div", "dl", "dt", "em", "embed", "fieldset", "figcaption", "figure", "font",
    "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr",
    "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend", "li", "link", "main", "map", "mark",
    "menu", "meta", "meter", "nav", "noscript", "object", "ol", "optgroup", "option", "output", "p", "param", "path",
    "picture", "pre", "progress", "q", "rp", "rt", "ruby", "s", "samp", "script", "search", "section", "select",
    "slot", "small", "source", "span", "strike", "strong", "style", "sub", "summary", "sup", "svg", "table", "tbody",
    "td", "template", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "track", "tt", "u", "ul", "var",
    "video", "wbr",
];

/// Names of variables that hold free text from outside, or end on one of these.
#[rustfmt::skip]
pub(super) const CARRIERS: &[&str] = &[
    "abstract", "article", "articles", "body", "chat", "comment", "comments", "content", "contents", "context",
    "conversation", "description", "dialog", "dialogue", "doc", "docs", "document", "documents", "email", "emails",
    "essay", "excerpt", "feedback", "history", "html", "input", "letter", "log", "logs", "message", "messages",
    "note", "notes", "page", "paragraph", "paragraphs", "passage", "passages", "post", "posts", "prompt", "query",
    "question", "reply", "request", "resume", "review", "reviews", "source_text", "story", "text", "texts", "ticket",
    "transcript", "tweet", "untrusted",
];

/// Names of variables that hold the task itself.
#[rustfmt::skip]
pub(super) const TASKS: &[&str] = &[
    "command", "goal", "input", "instruction", "instructions", "message", "problem", "prompt", "query", "question",
    "request", "task",
];

/// Filters that keep a value from ending what it stands in.
#[rustfmt::skip]
pub(super) const ESCAPING: &[&str] = &[
    "e", "escape", "replace", "tojson", "urlencode",
];

/// Labels of what is given in an example, and of what is to be answered.
#[rustfmt::skip]
pub(super) const GIVEN_LABELS: &[&str] = &[
    "input", "question", "q", "user", "human", "text", "query", "request", "prompt", "sentence",
];
#[rustfmt::skip]
pub(super) const ANSWER_LABELS: &[&str] = &[
    "output", "answer", "a", "assistant", "ai", "response", "result", "label", "completion", "reply",
];
