//! Reading prompts by their names.
use std::{borrow::Cow, sync::Arc, time::Duration};

use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    BATCH_MAX, BatchItem, Kept, Reader, Served, ServedAs, Variables,
    fill::{fill_prompt, reassemble},
    kept,
};
use crate::{
    ab_testing, analytics,
    app::App,
    cache::Source,
    caller::Caller,
    error::{Error, Result},
    page::PAGE_BYTES_MAX,
    prompts::{self, Prompt, Selector, ServedVersion, Show},
    templates::Given,
};

/// What a read led to.
#[derive(Debug)]
pub enum Reading {
    /// The same for everyone: as it was read so long ago, and by whom it was kept.
    Kept(Arc<Kept>, Duration, Source),
    /// For this reader alone.
    Made(Box<Served>),
}

impl Reading {
    /// The prompt, filled.
    #[must_use]
    pub fn served(&self) -> &Served {
        match self {
            Self::Kept(kept, ..) => &kept.served,
            Self::Made(served) => served,
        }
    }
}

impl Reading {
    /// How many bytes its texts and its config have, as they are sent.
    fn bytes(&self) -> i64 {
        let served = match self {
            Self::Kept(kept, ..) => return i64::try_from(kept.json.len()).unwrap_or(i64::MAX),
            Self::Made(served) => served,
        };
        let body = &served.prompt.body;
        let filled = served.filled_messages.iter().flatten().map(|message| message.content.len());
        let texts: usize = body.texts().iter().map(|(_, text)| text.len()).chain(filled).sum();
        let settings = serde_json::to_string(&body.config).map_or(0, |json| json.len());
        let bytes = texts + settings + served.filled_content.as_ref().map_or(0, String::len);
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.served().serialize(serializer)
    }
}

/// To whoever reads it, it is what was served.
impl PartialSchema for Reading {
    fn schema() -> RefOr<Schema> {
        Served::schema()
    }
}

impl ToSchema for Reading {
    fn name() -> Cow<'static, str> {
        Served::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Served::schemas(schemas);
    }
}

/// Reads a prompt by its name and fills it. That counts as a use of it. Where a test is behind the label that it is read
/// by, a reader who takes part gets the arm in its place.
pub async fn read(
    app: &App,
    reader: &Reader,
    name: (&str, &str),
    selector: &Selector,
    show: Show,
    given: Variables,
) -> Result<Reading> {
    let selector = &reader.permitted(name.0, selector)?;
    let (kept, age, source) = match show == Show::PROMPT {
        true => {
            let held = kept::find(app, name, selector).await?;
            (held.value, held.age, held.source)
        }
        // How it is used changes without a write to it.
        false => (Arc::new(kept::load(app, name, selector, show).await?.0), Duration::ZERO, Source::Database),
    };
    if let Some(served) = arm(app, reader, &kept, show, given.as_ref()).await? {
        return Ok(Reading::Made(Box::new(served)));
    }
    let prompt = &kept.served.prompt;
    if given.is_none() {
        app.uses.add(prompt.id, prompt.version, 1);
        return Ok(Reading::Kept(kept, age, source));
    }
    let mut served = made(app, prompt, kept.served.served.clone(), given).await?;
    app.uses.add(prompt.id, prompt.version, 1);
    served.deprecation.clone_from(&kept.served.deprecation);
    Ok(Reading::Made(Box::new(served)))
}

/// The same, of which whoever asks may do what they like.
pub async fn get(
    app: &App,
    reader: &Reader,
    name: (&str, &str),
    selector: &Selector,
    show: Show,
    given: Variables,
) -> Result<Served> {
    Ok(read(app, reader, name, selector, show, given).await?.served().clone())
}

/// A prompt filled with what this reader gave.
async fn made(app: &App, prompt: &Prompt, served: ServedAs, given: Variables) -> Result<Served> {
    let filled = match given {
        Some(given) => Some(fill_prompt(prompt, given).await?),
        None if prompt.is_template && !prompt.body.variables.is_empty() => None,
        None => Some(fill_prompt(prompt, Given::default()).await?),
    };
    if let Some(filled) = &filled {
        analytics::count_values(app, prompt.id, prompt.version, &filled.values);
    }
    let (texts, unused) = filled.map(|filled| (filled.texts, filled.unused)).unzip();
    let (filled_content, filled_messages) = reassemble(prompt.body.messages.as_deref(), texts);
    let unused = unused.unwrap_or_default();
    Ok(Served { prompt: prompt.clone(), filled_content, filled_messages, unused, served, deprecation: None })
}

/// What a reader who takes part in the test behind a label gets instead, filled. Only then it is written down that they were
/// shown it. Whoever cannot be shown their arm gets what the label points at, whatever has become of the arm.
async fn arm(app: &App, reader: &Reader, kept: &Kept, show: Show, given: Option<&Given>) -> Result<Option<Served>> {
    let unit = reader.subject.unit()?;
    let (Some(test), Some(unit)) = (&kept.test, unit) else { return Ok(None) };
    let context = given.map(Given::texts).unwrap_or_default();
    while let Some(offer) = ab_testing::offer(app, test, unit, &context).await? {
        let prompt = match show == Show::PROMPT {
            true => Ok(Arc::clone(&offer.prompt)),
            // Whoever may read the label gets the arm, whatever folder it is in: who made the test had to reach both.
            false => prompts::get(app, &Caller::system("serving"), offer.prompt.id, &offer.selector, show)
                .await
                .map(Arc::new),
        };
        let prompt = match prompt {
            Ok(prompt) => prompt,
            Err(error) if error.fails_alone() => return Ok(None),
            Err(error) => return Err(error),
        };
        let version = ServedVersion::of(&prompt, &offer.selector);
        let as_arm = ServedAs { version, experiment: Some(offer.experiment.clone()) };
        let mut served = made(app, &prompt, as_arm, given.cloned()).await?;
        if ab_testing::accept(app, &reader.caller, &offer).await? {
            app.uses.add(prompt.id, prompt.version, 1);
            served.deprecation.clone_from(&kept.served.deprecation);
            return Ok(Some(served));
        }
    }
    Ok(None)
}

/// Reads and fills prompts by name, each by itself: one that cannot be served does not spoil the others. Once those before
/// it hold 8 MiB together, an item is refused: 422 `batch-too-long`.
pub async fn batch(app: &App, reader: &Reader, items: Vec<BatchItem>) -> Result<Vec<Result<Reading>>> {
    if items.is_empty() || items.len() > BATCH_MAX {
        let detail = format!("give 1 to {BATCH_MAX} prompts at once");
        return Err(Error::invalid("/items", "out-of-range", detail));
    }
    let (mut results, mut bytes) = (Vec::with_capacity(items.len()), 0);
    for item in items {
        let result = match bytes < PAGE_BYTES_MAX {
            true => read_item(app, reader, item).await,
            false => Err(too_long()),
        };
        bytes += result.as_ref().map_or(0, Reading::bytes);
        results.push(result);
    }
    Ok(results)
}

async fn read_item(app: &App, reader: &Reader, item: BatchItem) -> Result<Reading> {
    let selector = Selector::new(item.version, item.label, Selector::Production)?;
    let given = item.variables.map(Given::Json);
    read(app, reader, (&item.category, &item.name), &selector, Show::PROMPT, given).await
}

fn too_long() -> Error {
    let detail = "the prompts before this one in the batch hold 8 MiB already; ask for it in another batch".to_owned();
    Error::Invalid { code: "batch-too-long", detail, violations: Vec::new() }
}
