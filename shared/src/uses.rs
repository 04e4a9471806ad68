//! Counts uses of prompts in memory, so that the read that is counted does not wait for a write.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::id::PromptId;

/// Uses that are not yet in the database, by prompt and version. The clones count together.
#[derive(Clone, Debug, Default)]
pub struct UseCounter(Arc<Mutex<HashMap<(PromptId, i64), i64>>>);

impl UseCounter {
    /// One more, or several.
    pub fn add(&self, prompt_id: PromptId, version: i64, uses: i64) {
        *self.counts().entry((prompt_id, version)).or_default() += uses;
    }

    /// Everything counted since the last time: prompt, version, uses.
    pub fn take(&self) -> Vec<(PromptId, i64, i64)> {
        let counts = std::mem::take(&mut *self.counts());
        let mut counts: Vec<_> = counts.into_iter().collect();
        // Processes that write the same rows in the same order do not wait for each other in a circle.
        counts.sort_unstable();
        counts.into_iter().map(|((prompt_id, version), uses)| (prompt_id, version, uses)).collect()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<(PromptId, i64), i64>> {
        self.0.lock().expect("nobody panics while counting")
    }
}
