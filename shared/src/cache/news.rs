//! What the processes of a store tell each other: which things have changed.
use std::{sync::Weak, time::Duration};

use futures::StreamExt;

use super::{Inner, mark::Mark};

/// How soon a process that hears nothing tries to listen again.
const AGAIN: Duration = Duration::from_millis(250);

/// What one process tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Things have changed.
    Changed(Vec<Mark>),
    /// What is kept under names like this is not to be used.
    Invalidated(String),
}

impl News {
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Changed(marks) => {
                let places: Vec<String> = marks.iter().map(|mark| mark.place().to_string()).collect();
                format!("changed {}", places.join(" "))
            }
            Self::Invalidated(pattern) => format!("invalidated {pattern}"),
        }
    }

    /// Nothing, if another version says what we do not know.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (what, of) = text.split_once(' ')?;
        match what {
            "changed" => {
                of.split(' ').map(|place| Mark::at(place.parse().ok()?)).collect::<Option<_>>().map(Self::Changed)
            }
            "invalidated" => Some(Self::Invalidated(of.to_owned())),
            _ => None,
        }
    }
}

/// Listens as long as anybody uses the cache. What was told while nobody listened is not known, so everything is read anew.
pub(super) async fn listen(cache: Weak<Inner>) {
    loop {
        if let Err(error) = hear(&cache).await {
            tracing::debug!(error = format!("{error:#}"), "nobody tells the cache what changes");
        }
        let Some(cache) = cache.upgrade() else { return };
        cache.is_told(false);
        drop(cache);
        tokio::time::sleep(AGAIN).await;
    }
}

async fn hear(cache: &Weak<Inner>) -> anyhow::Result<()> {
    let subscribe = |cache: std::sync::Arc<Inner>| async move {
        let second = cache.second.as_ref().ok_or_else(|| anyhow::anyhow!("there is no Redis"))?;
        let listener = second.subscribe().await?;
        cache.is_told(true);
        anyhow::Ok(listener)
    };
    let Some(strong) = cache.upgrade() else { return Ok(()) };
    let mut listener = subscribe(strong).await?;
    let mut messages = listener.on_message();
    while let Some(message) = messages.next().await {
        let Some(cache) = cache.upgrade() else { return Ok(()) };
        let text: String = message.get_payload()?;
        let news = cache.second.as_ref().and_then(|second| second.heard(&text));
        if let Some(news) = news {
            cache.apply(&news).await;
        }
    }
    anyhow::bail!("the connection ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_were_told() {
        let marks = [Mark::of(&["a"]), Mark::of(&["b"])];
        for news in [News::Changed(marks.to_vec()), News::Invalidated("writing/* of old".to_owned())] {
            assert_eq!(News::from_text(&news.to_text()), Some(news));
        }
        for strange in ["", "changed", "changed x", "changed 99999", "painted 3"] {
            assert_eq!(News::from_text(strange), None, "{strange}");
        }
    }
}
