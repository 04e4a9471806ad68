//! How a type of ours is stored: as one that every engine has.

/// `column!(Timestamp as i64, |at| at.millis(), |millis| Ok(Timestamp::from_millis(millis)));`
macro_rules! column {
    ($type:ty as $stored:ty, |$this:ident| $write:expr, |$value:ident| $read:expr) => {
        impl<DB: sqlx::Database> sqlx::Type<DB> for $type
        where
            $stored: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$stored>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <$stored>::compatible(ty)
            }
        }
        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $type
        where
            $stored: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                to: &mut DB::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let $this = self;
                sqlx::Encode::<DB>::encode($write, to)
            }
        }
        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $type
        where
            $stored: sqlx::Decode<'r, DB>,
        {
            fn decode(from: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                let $value = <$stored as sqlx::Decode<'r, DB>>::decode(from)?;
                $read
            }
        }
    };
}

/// Ids and enums: TEXT, by their `Display` and `FromStr`.
macro_rules! text_column {
    ($($type:ty),+ $(,)?) => {
        $($crate::db::column!($type as String, |this| this.to_string(), |text| Ok(text.parse()?));)+
    };
}

pub(crate) use {column, text_column};
