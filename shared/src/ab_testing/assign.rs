//! Who gets which arm: two independent hashes of the unit, so that the same unit always gets the same arm, in every
//! process and every language.
use sha2::{Digest, Sha256};

/// Traffic is dealt in basis points.
pub const BUCKETS: u16 = 10_000;

/// Where a unit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Of the hash that says who takes part.
    pub exposure_bucket: u16,
    /// Does the unit take part?
    pub exposed: bool,
    /// Of the hash that says which arm.
    pub variant_bucket: u16,
    /// The arm, counted from 0, whether or not the unit takes part; nothing where the weights end before its bucket.
    pub variant: Option<usize>,
}

/// The first eight bytes of SHA-256 of `{salt}:{purpose}:{unit}`, big-endian, modulo 10,000. The unit is hashed as it
/// is written: nothing is trimmed or folded.
#[must_use]
pub fn bucket(salt: &str, purpose: &str, unit: &str) -> u16 {
    let hash = [salt, ":", purpose, ":", unit].iter().fold(Sha256::new(), Digest::chain_update);
    let first = hash.finalize().iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    u16::try_from(first % u64::from(BUCKETS)).expect("a remainder is less than 10,000")
}

/// Where a unit stands in a test with this salt, of which `coverage_bp` basis points take part, and whose arms have
/// these weights in basis points, which sum up to 10,000. A larger coverage only adds units; nobody changes arms.
#[must_use]
pub fn assign(salt: &str, unit: &str, coverage_bp: u16, weights_bp: &[u16]) -> Assignment {
    let (exposure_bucket, variant_bucket) = (bucket(salt, "exposure", unit), bucket(salt, "variant", unit));
    let mut end = 0_u32;
    let variant = weights_bp.iter().position(|weight| {
        end += u32::from(*weight);
        u32::from(variant_bucket) < end
    });
    Assignment { exposure_bucket, exposed: exposure_bucket < coverage_bp, variant_bucket, variant }
}
