//! The formats of texts that the first version gives, which knew none.
use crate::{
    prompts::Prompt,
    templates::{self, TemplateFormat},
};

/// The format that the first version read a text by: it knew single braces and double ones, and no name for either.
#[must_use]
pub fn format_before_v2(content: &str) -> TemplateFormat {
    let has = |format| templates::placeholders(format, content, None).is_ok_and(|found| !found.is_empty());
    match has(TemplateFormat::SimpleFstring) && !has(TemplateFormat::Simple) {
        true => TemplateFormat::SimpleFstring,
        false => TemplateFormat::Simple,
    }
}

/// The format of a prompt once it has a text that the first version gave: its own. Only between the two formats that the
/// first version made, braces choose.
#[must_use]
pub fn format_kept(prompt: &Prompt, content: &str) -> TemplateFormat {
    let own = prompt.body.template_format;
    let chosen = format_before_v2(content);
    let has_braces = templates::placeholders(chosen, content, None).is_ok_and(|found| !found.is_empty());
    match own {
        TemplateFormat::Simple | TemplateFormat::SimpleFstring if has_braces => chosen,
        _ => own,
    }
}
