//! Prompt templates: what their variables are, and how values get into them.
//!
//! Content is parsed into a [`Template`] of one of the [formats](TemplateFormat), the caller's values are [bound](bind)
//! to its variables, and [`Template::fill`] puts them in. Nothing here knows of prompts, storage or HTTP.
mod allowed;
mod bind;
mod conversions;
mod demand;
mod fill;
mod format;
mod fstring;
mod guards;
mod jinja;
mod model;
mod mustache;
mod operations;
mod order;
mod placeholders;
mod python;
mod python_format;
mod sandbox;
mod scan;
mod signatures;
mod simple;
mod simple_fstring;
mod weighed;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;

pub use bind::{Bound, Given, bind};
pub use demand::{Demand, Demands};
pub use fill::{Allowance, Template, Unfilled, is_plain};
pub use format::TemplateFormat;
pub use model::{Fault, InputSchema, VariableSpec, VariableType, check_schema, is_identifier, is_name};
pub use placeholders::{Placeholder, placeholders, unread};
