//! `prompt-store seed`: prompts to look at and to try things on.
use serde::Deserialize;
use shared::{
    App, Caller, Error,
    prompts::{self, ContentPatch, NewPrompt, Precondition, Prompt},
    start::Failure,
};

use super::say;

/// The examples: a prompt, the contents that followed its first, and its labels.
const EXAMPLES: &str = include_str!("seed.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    prompt: NewPrompt,
    #[serde(default)]
    then: Vec<ContentPatch>,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, i64>,
}

pub(super) async fn run(app: App) -> Result<(), Failure> {
    let examples: Vec<Example> = serde_saphyr::from_str(EXAMPLES)
        .map_err(|error| Failure::Internal(format!("the examples cannot be read: {error}")))?;
    let caller = Caller::system("seed");
    let (mut added, total) = (0, examples.len());
    for example in examples {
        let named = format!("{}/{}", example.prompt.category, example.prompt.name);
        match add(&app, &caller, example).await {
            Ok(prompt) => {
                added += 1;
                say(&format!("added    {named}, at version {}", prompt.version));
            }
            Err(error) if error.code() == "prompt-name-taken" => say(&format!("is there {named}")),
            Err(error) => return Err(error.into()),
        }
    }
    say(&format!("{added} of {total} examples added"));
    app.db.close().await;
    Ok(())
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
