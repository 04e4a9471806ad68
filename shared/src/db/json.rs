//! JSON in a column: as the text it came in, which `PostgreSQL` keeps in `JSON` and would lose in `JSONB`.
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{
    Database, Decode, Encode, Postgres, Sqlite, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgTypeInfo, types::Oid},
    sqlite::SqliteTypeInfo,
    types::Json as AnyJson,
};

/// A value that is written as JSON and read from it. In a struct that derives `FromRow`, `#[sqlx(json)]` reads it.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

/// The type `JSON` of `PostgreSQL`, whose number is fixed.
pub(super) const TYPE: PgTypeInfo = PgTypeInfo::with_oid(Oid(114));

impl<T> Type<Postgres> for Json<T> {
    fn type_info() -> PgTypeInfo {
        TYPE
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <AnyJson<T> as Type<Postgres>>::compatible(ty)
    }
}

impl<T> Type<Sqlite> for Json<T> {
    fn type_info() -> SqliteTypeInfo {
        <AnyJson<T> as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <AnyJson<T> as Type<Sqlite>>::compatible(ty)
    }
}

impl<'q, DB: Database, T: Serialize> Encode<'q, DB> for Json<T>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, to: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<DB>::encode(serde_json::to_string(&self.0)?, to)
    }
}

impl<'r, DB: Database, T: DeserializeOwned> Decode<'r, DB> for Json<T>
where
    AnyJson<T>: Decode<'r, DB>,
{
    fn decode(from: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        AnyJson::decode(from).map(|json| Self(json.0))
    }
}
