//! Prompts that are to be there, whether they were or not: all of them in one transaction, so that whoever repeats the request gets
//! its answer again.
use serde::{Deserialize, Serialize};

use super::insert_many;
use crate::{
    app::{App, begin},
    caller::Caller,
    change::Change,
    db::Tx,
    error::{Error, Result},
    prompts::{self, Draft, NewPrompt, PromptPatch},
    versions::ChangeType,
};

/// A prompt that is to be there.
pub struct Wanted {
    /// How it is made, where its category has none of its name.
    pub new: NewPrompt,
    /// What is changed of the one that is there.
    pub patch: PromptPatch,
}

/// What became of a wanted prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Put {
    /// It was made.
    Created,
    /// The one that was there was changed.
    Updated,
    /// The one that was there is that already.
    Unchanged,
    /// It was refused.
    Failed,
}

/// What became of a wanted prompt, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PutOutcome {
    /// What became of it.
    pub outcome: Put,
    /// Of one that was refused: why.
    pub error: Option<String>,
}

/// Makes prompts, or changes those that are there. Each is refused by itself; what is nobody's fault ends the whole, and then
/// nothing was done. With `dry_run` nothing is done either, and the outcomes are those it would have.
pub async fn put_many(app: &App, caller: &Caller, wanted: Vec<Wanted>, dry_run: bool) -> Result<Vec<PutOutcome>> {
    if dry_run {
        let mut tx = app.begin(caller).await?;
        return put(&mut tx, wanted).await;
    }
    let mut tx = begin!(app, caller);
    let outcomes = put(&mut tx, wanted).await?;
    tx.commit_with(&outcomes).await?;
    Ok(outcomes)
}

async fn put(tx: &mut Tx, wanted: Vec<Wanted>) -> Result<Vec<PutOutcome>> {
    let (mut drafts, mut patches) = (Vec::new(), Vec::new());
    for Wanted { new, patch } in wanted {
        drafts.push(new.check());
        patches.push(patch);
    }
    let sound: Vec<&Draft> = drafts.iter().flatten().collect();
    let mut made = insert_many(tx, &sound, ChangeType::Create).await?.into_iter();
    let mut outcomes = Vec::with_capacity(drafts.len());
    for (draft, patch) in drafts.into_iter().zip(patches) {
        let put = match draft {
            Err(error) => Err(error),
            Ok(_) if made.next().flatten().is_some() => Ok(Put::Created),
            Ok(draft) => change(tx, &draft, patch).await,
        };
        outcomes.push(match put {
            Ok(outcome) => PutOutcome { outcome, error: None },
            Err(error) if error.is_refusal() => PutOutcome { outcome: Put::Failed, error: Some(error.to_string()) },
            Err(error) => return Err(error),
        });
    }
    Ok(outcomes)
}

/// Changes the prompt of a draft's name. Where it holds that text already, the text is not read anew: how it is filled stays.
async fn change(tx: &mut Tx, draft: &Draft, mut patch: PromptPatch) -> Result<Put> {
    let there = prompts::hold_named(tx, &draft.category, &draft.name).await?;
    let prompt = there.ok_or_else(|| Error::race("a taken name that nobody has any more"))?;
    if draft.body.content == prompt.body.content {
        (patch.content, patch.template_format) = (Change::Keep, Change::Keep);
    }
    let revision = prompt.revision;
    let prompt = prompts::update_in(tx, prompt, patch, ChangeType::Update).await?;
    Ok(if prompt.revision == revision { Put::Unchanged } else { Put::Updated })
}
