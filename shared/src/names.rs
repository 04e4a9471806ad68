//! Enums that are written as words: on the wire, in the database, in a query.

/// `names!(Status { Draft = "draft" })`: `Display`, `FromStr`, and how it is stored.
macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $name),+ })
            }
        }
        impl std::str::FromStr for $type {
            type Err = anyhow::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => anyhow::bail!("must be one of {}", [$($name),+].join(", ")),
                }
            }
        }
        $crate::db::text_column!($type);
    };
}

pub(crate) use names;
