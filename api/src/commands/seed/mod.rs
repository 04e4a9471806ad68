//! `prompt-store seed`: prompts to look at and to try things on.
mod demo;

use clap::Args;
use serde::Deserialize;
use shared::{
    App, Caller, Error,
    prompts::{self, ContentPatch, NewPrompt, Precondition, Prompt, Selector, Show},
    start::Failure,
};

use super::say;

/// The examples: a prompt, the contents that followed its first, and its labels.
const EXAMPLES: &str = include_str!("examples.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    prompt: NewPrompt,
    #[serde(default)]
    then: Vec<ContentPatch>,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, i64>,
}

#[derive(Args)]
pub(super) struct Seed {
    /// And all that becomes of prompts in a month: use, an A/B test, a refinement, bulk operations, relationships, a webhook.
    /// Only for a store to look around in: these numbers are made up.
    #[arg(long)]
    demo: bool,
}

impl Seed {
    pub(super) async fn run(self, app: App) -> Result<(), Failure> {
        let prompts = add_examples(&app).await?;
        if self.demo {
            demo::run(&app, &prompts).await?;
        }
        app.db.close().await;
        Ok(())
    }
}

/// Adds what is not there yet. Answers all of them.
async fn add_examples(app: &App) -> Result<Vec<Prompt>, Failure> {
    let examples: Vec<Example> = serde_saphyr::from_str(EXAMPLES)
        .map_err(|error| Failure::Internal(format!("the examples cannot be read: {error}")))?;
    let caller = Caller::system("seed");
    let (mut added, mut all) = (0, Vec::with_capacity(examples.len()));
    for example in examples {
        let (category, name) = (example.prompt.category.clone(), example.prompt.name.clone());
        match add(app, &caller, example).await {
            Ok(prompt) => {
                added += 1;
                say(&format!("added    {category}/{name}, at version {}", prompt.version));
                all.push(prompt);
            }
            Err(error) if error.code() == "prompt-name-taken" => {
                say(&format!("is there {category}/{name}"));
                all.push(
                    prompts::find_by_name(app, &caller, (&category, &name), &Selector::Latest, Show::PROMPT).await?,
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    say(&format!("{added} of {} examples added", all.len()));
    Ok(all)
}

async fn add(app: &App, caller: &Caller, example: Example) -> Result<Prompt, Error> {
    let anyway = &Precondition::None;
    let mut prompt = prompts::create(app, caller, example.prompt).await?;
    for patch in example.then {
        prompt = prompts::update_content(app, caller, prompt.id, anyway, patch).await?;
    }
    for (label, version) in example.labels {
        prompts::set_label(app, caller, prompt.id, &label, anyway, (version, None)).await?;
    }
    Ok(prompt)
}
