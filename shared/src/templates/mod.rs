//! Prompt templates: what their variables are, and how values get into them.
//!
//! Content is parsed into a [`Template`] of one of four [formats](TemplateFormat), the caller's values are [bound](bind)
//! to its variables, and [`Template::fill`] puts them in. Nothing here knows of prompts, storage or HTTP.
mod allowed;
mod bind;
mod fill;
mod fstring;
mod jinja;
mod model;
mod mustache;
mod placeholders;
mod sandbox;
mod scan;
mod weighed;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;

pub use bind::{Bound, Given, bind};
pub use fill::{Allowance, Template, Unfilled};
pub use model::{Fault, InputSchema, TemplateFormat, VariableSpec, VariableType, check_schema, is_identifier};
pub use placeholders::{Placeholder, placeholders};
