//! Makes the changes that findings offer.
use std::collections::HashSet;

use super::model::{Autofix, Content, Finding, Text};

/// A prompt after the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The text of a text prompt, or each message of a chat prompt.
    pub parts: Vec<String>,
    /// The names of the variables, if the author gave them.
    pub declared: Option<Vec<String>>,
    /// The names that are to go from the input schema too.
    pub undeclared: Vec<String>,
}

/// Makes every change that the findings of this text offer, from the end, so that places stay true. Of changes that
/// overlap the larger is made. Findings of another text are passed over where they do not fit.
#[must_use]
pub fn apply(text: &Text<'_>, findings: &[Finding]) -> Applied {
    let mut parts: Vec<String> = match &text.content {
        Content::Whole(content) => vec![(*content).to_owned()],
        Content::Messages(messages) => messages.iter().map(|(_, content)| (*content).to_owned()).collect(),
    };
    let mut edits: Vec<(usize, usize, usize, &str)> = Vec::new();
    let mut undeclared: Vec<String> = Vec::new();
    for autofix in findings.iter().filter_map(|finding| finding.autofix.as_ref()) {
        match autofix {
            Autofix::Replace { message, start, end, text } => {
                edits.push((message.unwrap_or_default(), *start, *end, text));
            }
            Autofix::RemoveDeclaration { variable } => undeclared.push(variable.clone()),
        }
    }
    edits.sort_by_key(|(part, start, end, _)| (*part, *start, std::cmp::Reverse(*end)));
    let mut reached = (0, 0);
    edits.retain(|(part, start, end, _)| {
        let is_free = *part > reached.0 || *start >= reached.1;
        if is_free {
            reached = (*part, *end);
        }
        is_free
    });
    for (part, start, end, text) in edits.into_iter().rev() {
        if let Some(content) = parts.get_mut(part)
            && start <= end
            && content.is_char_boundary(start)
            && content.is_char_boundary(end)
        {
            content.replace_range(start..end, text);
        }
    }
    let gone: HashSet<&str> = undeclared.iter().map(String::as_str).collect();
    let keep = |name: &&String| !gone.contains(name.as_str());
    let declared = text.declared.map(|declared| declared.iter().filter(keep).cloned().collect());
    Applied { parts, declared, undeclared }
}
