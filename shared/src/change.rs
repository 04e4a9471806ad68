//! What a change says of one field: an absent key keeps it, `null` clears it, a value sets it.
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Use it with `#[serde(default)]`, so that an absent key is [`Change::Keep`].
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Change<T> {
    /// As it is.
    #[default]
    Keep,
    /// Back to nothing, or to the default.
    Clear,
    /// This, from now on.
    Set(T),
}

impl<T> Change<T> {
    /// Says it anything?
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// The field after the change.
    pub fn apply(self, current: T) -> T
    where
        T: Default,
    {
        match self {
            Self::Keep => current,
            Self::Clear => T::default(),
            Self::Set(value) => value,
        }
    }

    /// The optional field after the change.
    pub fn apply_optional(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// Of a field that can be said or left out, and not cleared.
impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// Only for the published schema, which shows defaults: nothing is said by default.
impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keeps_null_clears_and_a_value_sets() {
        #[derive(Deserialize)]
        struct Patch {
            #[serde(default)]
            text: Change<String>,
        }
        for (json, after) in [("{}", Some("old")), (r#"{"text":null}"#, None), (r#"{"text":"new"}"#, Some("new"))] {
            let patch: Patch = serde_json::from_str(json).unwrap();
            assert_eq!(patch.text.apply_optional(Some("old".to_owned())).as_deref(), after, "{json}");
        }
    }
}
