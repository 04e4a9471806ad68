//! What a failure of the database means to the domain.
use crate::error::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, WorkerCrashed};
        match &error {
            Io(_) | PoolClosed | PoolTimedOut | WorkerCrashed => unavailable(error),
            Database(refusal) => match refusal.code().map(|code| Trouble::from_code(&code)) {
                Some(Trouble::Passing) => unavailable(error),
                Some(Trouble::Full) => Self::Unavailable {
                    code: "storage-full",
                    detail: "the disk is full: reading goes on, writing waits until there is space",
                    source: error.into(),
                },
                Some(Trouble::Lasting) | None => Self::Internal(error.into()),
            },
            _ => Self::Internal(error.into()),
        }
    }
}

fn unavailable(error: sqlx::Error) -> Error {
    Error::Unavailable {
        code: "database-unavailable",
        detail: "the database does not answer now; try again in a moment",
        source: error.into(),
    }
}

enum Trouble {
    Passing,
    Full,
    Lasting,
}

impl Trouble {
    /// `SQLite` numbers its results; the low byte is the kind: busy 5, locked 6, interrupted 9, full 13.
    fn from_code(code: &str) -> Self {
        match code.parse::<i32>().map(|code| code & 0xff) {
            Ok(5 | 6 | 9) => Self::Passing,
            Ok(13) => Self::Full,
            _ => Self::Lasting,
        }
    }
}
