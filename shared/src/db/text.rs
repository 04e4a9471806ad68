//! The one way by which text enters the database: what one engine cannot keep, no engine is given.
use sqlx::{Encode, Postgres, Type, TypeInfo, error::BoxDynError, postgres::PgArgumentBuffer};

/// Why a text is not written: `PostgreSQL` cannot keep U+0000.
#[derive(Debug, thiserror::Error)]
#[error("a text holds the character U+0000, which cannot be kept; leave it out")]
pub(super) struct HoldsNul;

/// Refuses a text that holds U+0000, before a statement is sent: a statement that the server refuses would spoil its
/// transaction. Bytes may hold it, and JSON escapes it.
///
/// # Errors
/// [`HoldsNul`], which becomes `Invalid` with the code `nul-character`; or what the encoding says.
pub(super) fn refuse_nul<T>(value: &T) -> Result<(), BoxDynError>
where
    T: for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    let kind = value.produces().unwrap_or_else(T::type_info);
    if kind.name() != "TEXT" {
        return Ok(());
    }
    let mut bytes = PgArgumentBuffer::default();
    let _ = value.encode_by_ref(&mut bytes)?;
    if bytes.contains(&0) { Err(HoldsNul.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Json;

    #[test]
    fn text_with_nul_is_refused_whatever_holds_it() {
        assert!(refuse_nul(&"a\0b").is_err());
        assert!(refuse_nul(&"a\0b".to_owned()).is_err());
        assert!(refuse_nul(&Some("\0")).is_err());
        assert!(refuse_nul(&None::<String>).is_ok());
        assert!(refuse_nul(&"\u{1}\u{fffd}").is_ok());
    }

    #[test]
    fn bytes_numbers_and_json_are_let_through() {
        assert!(refuse_nul(&vec![0_u8, 1]).is_ok());
        assert!(refuse_nul(&0_i64).is_ok());
        assert!(refuse_nul(&Json("a\0b")).is_ok());
    }
}
