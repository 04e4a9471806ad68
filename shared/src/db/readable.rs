//! A column that may hold what nobody wrote.
use sqlx::{Database, Decode, Type, error::BoxDynError};

/// The value of a column; nothing, where it cannot be read as one. So one damaged row does not keep all others of a
/// statement from whoever reads them.
#[derive(Clone, Debug)]
pub struct Readable<T>(pub Option<T>);

impl<DB: Database, T: Type<DB>> Type<DB> for Readable<T> {
    fn type_info() -> DB::TypeInfo {
        T::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        T::compatible(ty)
    }
}

impl<'r, DB: Database, T: Decode<'r, DB>> Decode<'r, DB> for Readable<T> {
    fn decode(from: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(T::decode(from).ok()))
    }
}
