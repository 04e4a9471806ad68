//! Typed, prefixed identifiers, sortable by creation. This file is the registry of every kind.
use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::Mutex,
    time::{Duration, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize, de};
use ulid::{Generator, Ulid};

use crate::clock::Timestamp;

/// What was read is not an id of the kind that was wanted.
#[derive(Debug, thiserror::Error)]
#[error("not an id of the form `{prefix}_…`")]
pub struct ParseIdError {
    prefix: &'static str,
}

/// Ids made by one process in the same millisecond still follow each other. Each day has a generator of its own, so that a clock
/// that was far ahead, and is set right, does not leave its time in the ids that follow.
static GENERATORS: Mutex<BTreeMap<Timestamp, Generator>> = Mutex::new(BTreeMap::new());

fn next(now: Timestamp) -> Ulid {
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
    let mut generators = GENERATORS.lock().expect("nobody panics while making an id");
    match generators.entry(now.day()).or_default().generate_from_datetime(at) {
        Ok(ulid) => ulid,
        Err(overflow) => overflow.commit_overflow_random(),
    }
}

/// A name for a request that came without one.
#[must_use]
pub fn request_id() -> String {
    format!("req_{}", Ulid::generate())
}

/// Reads an id. It refuses while it is visited, so that whoever reads a path can tell which part it was.
struct Text<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = ParseIdError>> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// A new id, after every other this process made on the same day.
            #[must_use]
            pub fn generate(now: Timestamp) -> Self {
                Self(next(now))
            }

            /// Not after any that was made at that time or later.
            #[must_use]
            pub fn first_at(time: Timestamp) -> Self {
                Self(Ulid::from_parts(u64::try_from(time.millis()).unwrap_or(0), 0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|ulid| Ulid::from_string(ulid).ok())
                    .map(Self)
                    // Only the one spelling this id is printed in: lower case is another string.
                    .filter(|id| id.to_string() == text)
                    .ok_or(ParseIdError { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(std::marker::PhantomData))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .examples([concat!($prefix, "_01J9Z3N5T8QWERTYASDFGHZXCV")])
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}

        crate::db::text_column!($name);
    )+};
}

ids! {
    /// An A/B test.
    AbTestId = "abt",
    /// A row of the audit log.
    AuditId = "aud",
    /// What a webhook was sent, or is to be sent: one event, one receiver.
    DeliveryId = "dlv",
    /// What refinements of a prompt led to, version by version.
    DocumentId = "doc",
    /// Something that has happened.
    EventId = "evt",
    /// A background job.
    JobId = "job",
    /// A key of the API.
    KeyId = "key",
    /// A bulk operation.
    OperationId = "op",
    /// A prompt, whatever its version.
    PromptId = "prm",
    /// A refinement of a prompt.
    RefinementId = "ref",
    /// A relationship between two prompts.
    RelationshipId = "rel",
    /// Usage events that were written together.
    UsageBatchId = "usb",
    /// One version of a prompt.
    VersionId = "ver",
    /// A webhook.
    WebhookId = "whk",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_in_one_millisecond_sort_as_they_were_made() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let ids: Vec<_> = (0..100).map(|_| PromptId::generate(now).to_string()).collect();
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    }

    #[test]
    fn an_id_is_read_only_as_it_is_printed() {
        let id = PromptId::generate(Timestamp::from_millis(1));
        assert_eq!(id.to_string().parse::<PromptId>().unwrap(), id);
        for text in [id.to_string().to_lowercase(), id.to_string().replace("prm", "ver"), "prm_".into(), String::new()]
        {
            assert!(text.parse::<PromptId>().is_err(), "{text}");
        }
    }
}
