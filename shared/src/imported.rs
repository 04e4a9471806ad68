//! What an import may say of the past: who did something, and when.
use std::time::Duration;

use crate::{clock::Timestamp, error::Violation, text};

/// The clocks of two stores may differ by so much.
const AHEAD_MAX: Duration = Duration::from_hours(24);

/// An author, as `created_by` names one: 1 to 255 visible characters.
pub(crate) fn author(name: &str, pointer: &str) -> Result<(), Violation> {
    match text::identifier(name, pointer, text::NAME_CHARS_MAX)? {
        kept if kept == name => Ok(()),
        _ => Err(Violation::new(pointer, "does-not-fit", "it would not be kept as it is")),
    }
}

/// A time at which something happened: not in the future, give or take a day for clocks that differ.
pub(crate) fn moment(at: Timestamp, now: Timestamp, pointer: &str) -> Result<(), Violation> {
    if at > now + AHEAD_MAX {
        let detail = format!("`{at}` is in the future, and an export tells what has happened");
        return Err(Violation::new(pointer, "in-the-future", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_ends_a_day_after_now() {
        let now = Timestamp::from_millis(1_000_000_000_000);
        for (hours, fits) in [(0, true), (24, true), (25, false)] {
            let at = now + Duration::from_hours(hours);
            assert_eq!(moment(at, now, "/created_at").is_ok(), fits, "{hours}");
        }
        assert!(moment(Timestamp::from_millis(0), now, "/created_at").is_ok());
    }

    #[test]
    fn an_author_is_a_visible_name() {
        for (name, fits) in [("key_1", true), ("Ada Lovelace", true), ("", false), (" a", false), ("a\0", false)] {
            assert_eq!(author(name, "/created_by").is_ok(), fits, "{name:?}");
        }
    }
}
