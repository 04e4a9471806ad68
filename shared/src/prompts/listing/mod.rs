//! Lists of prompts: filters, orders, and the categories and tags there are.
mod repository;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LifecycleStatus, Prompt, Show, input::TAGS_MAX};
use crate::{
    app::App,
    caller::{Caller, Folders},
    clock::Timestamp,
    db::FromRow,
    error::{Error, Result},
    names::names,
    page::{Page, PageRequest, Position, SortKey},
    text,
    versions::{BODY_BYTES_MAX, LATEST},
};

/// Of a prompt without its content: config, schema, description, names.
const SETTINGS_BYTES_MAX: i64 = 160 * 1024;

pub(super) use repository::{after, holds, lengths_of, matching};

/// Which prompts are wanted. Empty: all that are not deleted.
#[derive(Clone, Debug)]
pub struct PromptFilter {
    /// Nothing else is to be seen.
    pub within: Folders,
    /// Exactly this one, or with `/*` at its end everything below it.
    pub category: Option<String>,
    /// They have all of these.
    pub tags: Vec<String>,
    /// They stand here in their life.
    pub lifecycle_status: Option<LifecycleStatus>,
    /// They have this label.
    pub label: Option<String>,
    /// They were made by this actor.
    pub created_by: Option<String>,
    /// They are to be filled, or not.
    pub is_template: Option<bool>,
    /// They were written to at this moment or later.
    pub updated_since: Option<Timestamp>,
    /// Deleted ones too.
    pub include_deleted: bool,
    /// What is shown of them.
    pub show: Show,
    /// In which order.
    pub sort: Sort,
}

impl PromptFilter {
    /// Those that stand at one point of their life and that the caller may see, newest first, without their content.
    pub fn of_status(caller: &Caller, status: &str) -> Result<Self> {
        let known = status
            .parse()
            .map_err(|error: anyhow::Error| Error::invalid("/status", "unknown-value", format!("`status` {error}")))?;
        let show = Show { content: false, usage_since: None };
        let within = caller.grant.folders.clone();
        Ok(Self { within, lifecycle_status: Some(known), ..Self::all(show, Sort::Newest) })
    }

    /// All that are not deleted.
    #[must_use]
    pub fn all(show: Show, sort: Sort) -> Self {
        Self {
            within: Folders::default(),
            category: None,
            tags: Vec::new(),
            lifecycle_status: None,
            label: None,
            created_by: None,
            is_template: None,
            updated_since: None,
            include_deleted: false,
            show,
            sort,
        }
    }

    /// Where the categories begin and end that are meant.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let folder = self.category.as_deref().and_then(|category| category.strip_suffix("/*"));
        let folder = folder.map(|folder| (format!("{folder}/"), format!("{folder}0")));
        Bounds { folder, within: self.within.bounds() }
    }

    /// The same, with its identifiers as they are kept, each tag once.
    pub fn composed(&self) -> Result<Self> {
        let tags: BTreeSet<String> = self.tags.iter().map(|tag| text::sought(text::composed(tag))).collect();
        if tags.len() > TAGS_MAX {
            let detail = format!("a prompt has at most {TAGS_MAX} tags, so none has all of these");
            return Err(Error::invalid("/tag", "too-many", detail));
        }
        let category = self.category.as_deref().map(|category| text::sought(text::composed(category)));
        let created_by = self.created_by.clone().map(text::sought);
        // Every prompt has a latest version.
        let label = self.label.clone().filter(|label| label != LATEST).map(text::sought);
        Ok(Self { category, tags: tags.into_iter().collect(), label, created_by, ..self.clone() })
    }

    /// Names the list, so that a cursor of one is refused by another. What is shown does not change the list.
    fn name(&self) -> String {
        format!("prompts {:?}", Self { show: Show::PROMPT, ..self.clone() })
    }
}

/// Where the categories of a filter begin and end, for a statement.
pub struct Bounds {
    /// The first category below the folder that is asked for, and the first after it: `0` is the character after `/`.
    folder: Option<(String, String)>,
    /// What may be seen at all.
    within: Vec<(String, String, String)>,
}

/// The order of a list of prompts. `-` turns it round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Sort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
    /// Last written to first.
    #[serde(rename = "-updated_at")]
    LastUpdated,
    /// Longest left alone first.
    #[serde(rename = "updated_at")]
    LeastUpdated,
    /// A to z.
    #[serde(rename = "name")]
    Name,
    /// Z to a.
    #[serde(rename = "-name")]
    NameDescending,
}

names!(Sort {
    Newest = "-created_at",
    Oldest = "created_at",
    LastUpdated = "-updated_at",
    LeastUpdated = "updated_at",
    Name = "name",
    NameDescending = "-name",
});

impl Sort {
    fn order(self) -> &'static str {
        match self {
            Self::Newest => "ORDER BY p.created_at DESC, p.id DESC",
            Self::Oldest => "ORDER BY p.created_at, p.id",
            Self::LastUpdated => "ORDER BY p.updated_at DESC, p.id DESC",
            Self::LeastUpdated => "ORDER BY p.updated_at, p.id",
            Self::Name => "ORDER BY p.name, p.id",
            Self::NameDescending => "ORDER BY p.name DESC, p.id DESC",
        }
    }

    fn after(self) -> &'static str {
        match self {
            Self::Newest => "AND (p.created_at, p.id) < (?, ?)",
            Self::Oldest => "AND (p.created_at, p.id) > (?, ?)",
            Self::LastUpdated => "AND (p.updated_at, p.id) < (?, ?)",
            Self::LeastUpdated => "AND (p.updated_at, p.id) > (?, ?)",
            Self::Name => "AND (p.name, p.id) > (?, ?)",
            Self::NameDescending => "AND (p.name, p.id) < (?, ?)",
        }
    }

    fn position(self, prompt: &Prompt) -> Position {
        let key = match self {
            Self::Newest | Self::Oldest => SortKey::Number(prompt.created_at.millis()),
            Self::LastUpdated | Self::LeastUpdated => SortKey::Number(prompt.updated_at.millis()),
            Self::Name | Self::NameDescending => SortKey::Text(prompt.name.clone()),
        };
        Position { key, id: prompt.id.to_string() }
    }
}

/// A category and how many prompts it has.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct CategoryCount {
    /// The category.
    pub category: String,
    /// Prompts that are not deleted.
    pub count: i64,
}

/// A tag and how many prompts have it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct TagCount {
    /// The tag.
    pub tag: String,
    /// Prompts that are not deleted.
    pub count: i64,
}

/// The prompts that match, a page of them.
pub async fn list(app: &App, filter: &PromptFilter, request: &PageRequest) -> Result<Page<Prompt>> {
    let filter = &filter.composed()?;
    let name = filter.name();
    let after = request.after(&app.secret, &name)?;
    let mut conn = app.db.read().await?;
    let bytes_max = if filter.show.content { BODY_BYTES_MAX } else { SETTINGS_BYTES_MAX };
    let lengths = repository::lengths(&mut conn, filter, after.as_ref(), request);
    let request = request.within_bytes(bytes_max, lengths).await?;
    let (prompts, total) = repository::list(&mut conn, filter, after.as_ref(), &request).await?;
    Ok(request.page(&app.secret, &name, total, prompts, |prompt| filter.sort.position(prompt)))
}

/// The categories there are that a caller may see, by name.
pub async fn categories(app: &App, caller: &Caller, request: &PageRequest) -> Result<Page<CategoryCount>> {
    let within = &caller.grant.folders;
    let list = format!("categories {within}");
    let after = text_after(app, request, &list)?;
    let mut conn = app.db.read().await?;
    let (rows, total) = repository::categories(&mut conn, &within.bounds(), &after, request).await?;
    Ok(request.page(&app.secret, &list, total, rows, |row| at_text(&row.category)))
}

/// The tags of the prompts that a caller may see, by name.
pub async fn tags(app: &App, caller: &Caller, request: &PageRequest) -> Result<Page<TagCount>> {
    let within = &caller.grant.folders;
    let list = format!("tags {within}");
    let after = text_after(app, request, &list)?;
    let mut conn = app.db.read().await?;
    let (rows, total) = repository::tags(&mut conn, &within.bounds(), &after, request).await?;
    Ok(request.page(&app.secret, &list, total, rows, |row| at_text(&row.tag)))
}

fn at_text(text: &str) -> Position {
    Position { key: SortKey::Text(text.to_owned()), id: String::new() }
}

/// No category and no tag is empty, so they all come after the empty text.
fn text_after(app: &App, request: &PageRequest, list: &str) -> Result<String> {
    match request.after(&app.secret, list)? {
        None => Ok(String::new()),
        Some(Position { key: SortKey::Text(text), .. }) => Ok(text),
        Some(_) => Err(Error::internal("a cursor of ours holds no text")),
    }
}
