//! Where the present comes from. Nothing else asks the system for the time.
use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::{Deserialize, Serialize, de};

/// A moment in UTC, to the millisecond. On the wire RFC 3339, in the database an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

crate::db::column!(Timestamp as i64, |at| at.0, |millis| Ok(Timestamp(millis)));

impl Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment so many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// When the day began that this moment lies in, in UTC.
    #[must_use]
    pub const fn day(self) -> Self {
        Self(self.0 - self.0.rem_euclid(86_400_000))
    }

    /// As HTTP headers write it: `Sun, 06 Nov 1994 08:49:37 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// A moment as HTTP headers write it.
    #[must_use]
    pub fn from_http_date(text: &str) -> Option<Self> {
        let at = jiff::fmt::rfc2822::parse(text).ok()?;
        Some(Self(at.timestamp().as_millisecond()))
    }

    /// How long ago `earlier` was; nothing, if it is yet to come.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{}", at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }
}

impl FromStr for Timestamp {
    type Err = anyhow::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at: jiff::Timestamp = text.parse().map_err(|_| anyhow::anyhow!("not a time like 2026-01-31T12:00:00Z"))?;
        Ok(Self(at.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}
impl utoipa::ToSchema for Timestamp {}

/// The present.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's.
    System,
    /// One that only moves when a test moves it.
    Fixed(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// A clock that stands still at `at`.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(Mutex::new(at)))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
            Self::System => Timestamp(jiff::Timestamp::now().as_millisecond()),
            Self::Fixed(at) => *at.lock().expect("nobody panics while holding the clock"),
        }
    }

    /// Moves a fixed clock; the system's takes no notice.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Sets a fixed clock, forward or back; the system's takes no notice.
    pub fn set(&self, to: Timestamp) {
        if let Self::Fixed(at) = self {
            *at.lock().expect("nobody panics while holding the clock") = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds_and_read_back() {
        let at: Timestamp = "2026-01-31T13:00:00.5+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-31T12:00:00.500Z");
        assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
    }

    #[test]
    fn a_time_of_a_header_is_read_back() {
        let at = Timestamp::from_millis(784_111_777_000);
        assert_eq!(at.http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(Timestamp::from_http_date(&at.http_date()), Some(at));
        assert_eq!(Timestamp::from_http_date("soon"), None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
