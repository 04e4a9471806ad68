//! The first reading of a Jinja2 template, as tokens: is it safe to hand to the parser?
//!
//! The engine's parser and compiler work by recursion, and so does dropping a syntax tree. `{{ not not not ... x }}`,
//! `{{ --------x }}` or a chain of filters would nest deep enough in 64 KiB to overflow the stack, which ends the whole
//! process. So nesting is counted here, where nothing recurses.
use minijinja::machinery::{Span, Token, tokenize};

use super::model::Fault;
use super::sandbox::syntax;

/// How many operators, brackets and dots one tag may have: each can nest the syntax tree one deeper.
const MAX_OPERATORS: usize = 200;

/// How many blocks may be open at once.
const MAX_OPEN: usize = 32;

/// How many `elif` a template may have: each nests the syntax tree one deeper.
const MAX_ELIFS: usize = 64;

/// The tags that open a block, those that go on with it, and those that end one.
const OPENING: [&str; 6] = ["filter", "for", "if", "macro", "set", "with"];
const CONTINUING: [&str; 2] = ["elif", "else"];
const ENDING: [&str; 6] = ["endfilter", "endfor", "endif", "endmacro", "endset", "endwith"];

/// The words that are operators.
const WORDS: [&str; 7] = ["and", "else", "if", "in", "is", "not", "or"];

/// What has been read of the tag at hand.
#[derive(Default)]
struct Tag<'t> {
    keyword: Option<&'t str>,
    tokens: usize,
    operators: usize,
    open_brackets: usize,
    assigns: bool,
}

/// Counts how deep the template nests.
pub(super) fn scan(text: &str) -> Result<(), Fault> {
    let (mut open, mut elifs) = (0_usize, 0_usize);
    let mut tag = Tag::default();
    let mut is_block = false;
    for token in tokenize(text, false, syntax()) {
        // The parser meets the same fault, and says where it is.
        let Ok((token, span)) = token else { break };
        let too_deep = |detail: String| Fault::at(text, span.start_offset as usize, Fault::LIMIT, detail);
        match token {
            Token::BlockStart | Token::VariableStart => {
                is_block = matches!(token, Token::BlockStart);
                tag = Tag::default();
            }
            Token::VariableEnd if text[span.start_offset as usize..].starts_with('+') => {
                let start = span.start_offset as usize;
                return Err(Fault::at(text, start, Fault::SYNTAX, "an operator is followed by nothing"));
            }
            Token::BlockEnd => match tag.keyword {
                Some("set") if tag.assigns => {}
                Some(keyword) if OPENING.contains(&keyword) => open += 1,
                Some(keyword) if ENDING.contains(&keyword) => open = open.saturating_sub(1),
                Some("elif") => elifs += 1,
                _ => {}
            },
            Token::Ident(keyword) if is_block && tag.tokens == 0 => {
                check_keyword(text, span, keyword)?;
                tag.keyword = Some(keyword);
                tag.tokens = 1;
            }
            token => tag.read(&token),
        }
        if tag.operators > MAX_OPERATORS {
            return Err(too_deep(format!("one tag has more than {MAX_OPERATORS} operators, brackets and dots")));
        }
        if open > MAX_OPEN {
            return Err(too_deep(format!("more than {MAX_OPEN} blocks are open at once")));
        }
        if elifs > MAX_ELIFS {
            return Err(too_deep(format!("the template has more than {MAX_ELIFS} `elif`")));
        }
    }
    Ok(())
}

impl Tag<'_> {
    fn read(&mut self, token: &Token<'_>) {
        self.tokens += 1;
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => self.open_brackets += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.open_brackets = self.open_brackets.saturating_sub(1);
            }
            Token::Assign if self.open_brackets == 0 => self.assigns = true,
            _ => {}
        }
        let nests = match token {
            Token::Ident(word) => WORDS.contains(word),
            #[rustfmt::skip]
            Token::TemplateData(_) | Token::VariableEnd | Token::Str(_) | Token::String(_) | Token::Int(_)
            | Token::Int128(_) | Token::Float(_) | Token::Comma | Token::Colon | Token::Assign | Token::ParenClose
            | Token::BracketClose | Token::BraceClose => false,
            _ => true,
        };
        self.operators += usize::from(nests);
    }
}

fn check_keyword(text: &str, span: Span, keyword: &str) -> Result<(), Fault> {
    if OPENING.contains(&keyword) || CONTINUING.contains(&keyword) || ENDING.contains(&keyword) {
        return Ok(());
    }
    let detail = format!("the tag `{keyword}` is not allowed; allowed are {} and raw", OPENING.join(", "));
    Err(Fault::at(text, span.start_offset as usize, Fault::FORBIDDEN, detail))
}
