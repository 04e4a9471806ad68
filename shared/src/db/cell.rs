//! A value of any column, for what copies rows without knowing what they mean.
use std::str::FromStr;

use anyhow::bail;
use sqlx::{
    ColumnIndex, Database, Decode, Encode, FromRow, Postgres, Row, Sqlite, Type, TypeInfo, ValueRef,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgRow, PgTypeInfo},
    sqlite::{SqliteRow, SqliteTypeInfo},
};

use super::json;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    Real,
    Bytes,
    Json,
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    /// As an engine calls it, in a declaration or beside a value.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name.to_ascii_uppercase().as_str() {
            "TEXT" => Self::Text,
            "INTEGER" | "BIGINT" | "INT8" => Self::Integer,
            "BOOLEAN" | "BOOL" => Self::Boolean,
            "REAL" | "DOUBLE PRECISION" | "FLOAT8" => Self::Real,
            "BLOB" | "BYTEA" => Self::Bytes,
            "JSON" => Self::Json,
            other => bail!("a column of type `{other}` cannot be copied"),
        })
    }
}

/// A value, in its plain form: as an engine without booleans and JSON has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    Integer(i64),
    Real(f64),
    Bytes(Vec<u8>),
}

/// A value on its way into a column.
pub(super) struct Cell<'a> {
    pub(super) value: &'a Value,
    pub(super) kind: Kind,
}

/// The values of a row.
pub(super) struct Values(pub(super) Vec<Value>);

impl Values {
    fn read<'r, R: Row>(row: &'r R) -> sqlx::Result<Self>
    where
        usize: ColumnIndex<R>,
        bool: Decode<'r, R::Database> + Type<R::Database>,
        i64: Decode<'r, R::Database> + Type<R::Database>,
        f64: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    {
        let one = |index| {
            let raw = row.try_get_raw(index)?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            let kind =
                raw.type_info().name().parse().map_err(|error: anyhow::Error| sqlx::Error::Decode(error.into()))?;
            Ok(match kind {
                // The type JSON is text, and PostgreSQL hands it out as such.
                Kind::Text | Kind::Json => Value::Text(row.try_get_unchecked(index)?),
                Kind::Integer => Value::Integer(row.try_get(index)?),
                Kind::Boolean => Value::Integer(i64::from(row.try_get::<bool, _>(index)?)),
                Kind::Real => Value::Real(row.try_get(index)?),
                Kind::Bytes => Value::Bytes(row.try_get(index)?),
            })
        };
        (0..row.len()).map(one).collect::<sqlx::Result<_>>().map(Self)
    }
}

impl FromRow<'_, SqliteRow> for Values {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Self::read(row)
    }
}

impl FromRow<'_, PgRow> for Values {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Self::read(row)
    }
}

impl Type<Sqlite> for Cell<'_> {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Type<Postgres> for Cell<'_> {
    fn type_info() -> PgTypeInfo {
        <String as Type<Postgres>>::type_info()
    }
}

fn encode<'q, DB: Database>(value: &Value, to: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError>
where
    i64: Encode<'q, DB>,
    f64: Encode<'q, DB>,
    String: Encode<'q, DB>,
    Vec<u8>: Encode<'q, DB>,
{
    match value {
        Value::Null => Ok(IsNull::Yes),
        Value::Text(text) => Encode::<DB>::encode(text.clone(), to),
        Value::Integer(number) => Encode::<DB>::encode(*number, to),
        Value::Real(number) => Encode::<DB>::encode(*number, to),
        Value::Bytes(bytes) => Encode::<DB>::encode(bytes.clone(), to),
    }
}

impl Encode<'_, Sqlite> for Cell<'_> {
    fn encode_by_ref(&self, to: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        encode::<Sqlite>(self.value, to)
    }
}

impl Encode<'_, Postgres> for Cell<'_> {
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(match self.kind {
            Kind::Text => <String as Type<Postgres>>::type_info(),
            Kind::Integer => <i64 as Type<Postgres>>::type_info(),
            Kind::Boolean => <bool as Type<Postgres>>::type_info(),
            Kind::Real => <f64 as Type<Postgres>>::type_info(),
            Kind::Bytes => <Vec<u8> as Type<Postgres>>::type_info(),
            Kind::Json => json::TYPE,
        })
    }

    fn encode_by_ref(&self, to: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match (self.kind, self.value) {
            (Kind::Boolean, Value::Integer(number)) => Encode::<Postgres>::encode(*number != 0, to),
            (_, value) => encode::<Postgres>(value, to),
        }
    }
}
