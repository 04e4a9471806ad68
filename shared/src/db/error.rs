//! What a failure of the database means to the domain.
use super::text::HoldsNul;
use crate::error::{Error, INDEX_DAMAGED, RACE};

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Database, Encode, Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
        if let Encode(source) = &error
            && source.is::<HoldsNul>()
        {
            return Self::invalid("", "nul-character", source.to_string());
        }
        let trouble = match &error {
            Io(_) | Tls(_) | PoolClosed | PoolTimedOut | WorkerCrashed => Trouble::Passing,
            Database(refusal) => refusal.code().map_or(Trouble::Lasting, |code| Trouble::from_code(&code)),
            _ => Trouble::Lasting,
        };
        let (code, detail) = match trouble {
            Trouble::Passing => ("database-unavailable", "the database does not answer now; try again in a moment"),
            Trouble::Full => return Self::full(error),
            Trouble::Race => (RACE, "others write to the same rows again and again; try again in a moment"),
            Trouble::IndexDamaged => {
                (INDEX_DAMAGED, "the search index is damaged; its operator can have it made anew: `prompt-store check`")
            }
            Trouble::Damaged => return Self::damaged(error),
            Trouble::Lasting => return Self::Internal(error.into()),
        };
        Self::Unavailable { code, detail, source: error.into() }
    }
}

#[derive(Debug, PartialEq)]
enum Trouble {
    /// The database is away, starting, busy, or may only be read for now.
    Passing,
    /// It has no space left.
    Full,
    /// Another transaction was faster.
    Race,
    /// What it holds is not what was written.
    Damaged,
    /// The index of words is not what was written. It can be made anew.
    IndexDamaged,
    /// It does not understand us, so we are wrong.
    Lasting,
}

impl Trouble {
    /// The codes of `PostgreSQL` have five characters, of which the first two are the class; those of `SQLite` are
    /// numbers of at most four digits, whose low byte is the kind.
    fn from_code(code: &str) -> Self {
        match code.len() {
            5 => Self::from_postgres(code),
            // What FTS5 finds in its own tables.
            3 if code == "267" => Self::IndexDamaged,
            _ => match code.parse::<i32>().map(|code| code & 0xff) {
                Ok(5 | 6 | 9) => Self::Passing, // busy, locked, interrupted
                Ok(13) => Self::Full,
                Ok(11 | 26) => Self::Damaged, // malformed, no database any more
                _ => Self::Lasting,
            },
        }
    }

    fn from_postgres(code: &str) -> Self {
        match code {
            "53100" => Self::Full,
            // A row, an index.
            "XX001" | "XX002" => Self::Damaged,
            // Not serializable, deadlock. And a unique violation: statements say ON CONFLICT or NOT EXISTS, so only a row
            // that was committed a moment ago can still collide.
            "40001" | "40P01" | "23505" => Self::Race,
            // A statement, a pause or the wait for a lock that took too long; a server that became a replica.
            "57014" | "25P03" | "55P03" | "25006" => Self::Passing,
            // Connection lost, out of resources, shut down or starting.
            _ if ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) => Self::Passing,
            _ => Self::Lasting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_kind_of_trouble_it_is() {
        for (codes, trouble) in [
            (
                &["5", "517", "6", "9", "08006", "53300", "57P01", "57P03", "57014", "25006", "25P03", "55P03"][..],
                Trouble::Passing,
            ),
            (&["13", "53100"], Trouble::Full),
            (&["11", "523", "26", "XX001", "XX002"], Trouble::Damaged),
            (&["267"], Trouble::IndexDamaged),
            (&["40001", "40P01", "23505"], Trouble::Race),
            (&["1", "8", "19", "2067", "42P01", "23503", "22P02", ""], Trouble::Lasting),
        ] {
            for code in codes {
                assert_eq!(Trouble::from_code(code), trouble, "{code}");
            }
        }
    }
}
