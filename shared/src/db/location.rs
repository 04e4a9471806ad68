//! Where a store is kept, as `PROMPT_STORE_DB` says it.
use std::{
    fmt::{self, Display, Formatter},
    path::{Path, PathBuf},
    str::FromStr,
};

use url::Url;

/// A file, or a server that every host can reach. Prints itself without the password.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A `SQLite` file.
    File(PathBuf),
    /// The address of a `PostgreSQL` database, as it was given: the engine itself says what is wrong with it.
    Server(String),
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("postgres" | "postgresql", rest)) => {
                // Where a password is cut short, its rest would be taken for the name of the database, and shown.
                let rest =
                    rest.strip_prefix("//").and_then(|rest| rest.split_once(['/', '?', '#']).or(Some((rest, ""))));
                match rest {
                    Some((_, rest)) if !rest.contains('@') => Ok(Self::Server(text.to_owned())),
                    _ => Err(
                        "it must be an address like postgres://user:password@host/database; in a password, `/`, `?`, \
                              `#` and `@` are written %2F, %3F, %23 and %40"
                            .to_owned(),
                    ),
                }
            }
            Some((scheme, rest)) if scheme != "sqlite" && rest.starts_with("//") => {
                Err("it must be a file, or an address like postgres://user:password@host/database".to_owned())
            }
            _ => Ok(Self::File(text.strip_prefix("sqlite:").unwrap_or(text).into())),
        }
    }
}

impl Location {
    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

impl Display for Location {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::File(path) => return write!(f, "{}", path.display()),
            Self::Server(url) => Url::parse(url),
        };
        let Ok(url) = url else { return f.write_str("the PostgreSQL database") };
        let user = if url.username().is_empty() { String::new() } else { format!("{}@", url.username()) };
        let port = url.port().map_or(String::new(), |port| format!(":{port}"));
        write!(f, "postgres://{user}{}{port}{}", url.host_str().unwrap_or_default(), url.path())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_names_the_engine_and_anything_else_is_a_file() {
        for (text, file) in
            [("store.db", "store.db"), ("sqlite:a/b.db", "a/b.db"), ("/x:y", "/x:y"), ("postgres", "postgres")]
        {
            assert_eq!(text.parse(), Ok(Location::File(file.into())), "{text}");
        }
        for text in ["postgres://localhost/x", "postgresql://u@h/x", "postgres:///x?host=/run", "postgres://u:p@ss@h"] {
            assert_eq!(text.parse(), Ok(Location::Server(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn an_address_whose_password_would_be_taken_for_something_else_is_refused() {
        for text in [
            "postgres:u:p@h/x",
            "postgres://u:12/34@h/x",
            "postgres://u:1#2@h",
            "postgres://u:1?2@h/x",
            "mysql://u:p@h/x",
        ] {
            let refused = text.parse::<Location>().unwrap_err();
            assert!(refused.starts_with("it must be"), "{refused}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let location: Location = "postgres://writer:s3cret@db.internal:5433/prompts?password=s3cret".parse().unwrap();
        assert_eq!(location.to_string(), "postgres://writer@db.internal:5433/prompts");
        assert_eq!(format!("{location:?}"), "postgres://writer@db.internal:5433/prompts");
        let wrong: Location = "postgres://writer:s3cret@db:port/prompts".parse().unwrap();
        assert_eq!(wrong.to_string(), "the PostgreSQL database");
    }
}
