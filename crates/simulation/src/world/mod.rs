//! The world around the replicas: time, doors, the worker, the disks, and an account of what happened.

pub(crate) mod disk;
pub mod failure;
pub(crate) mod gate;
pub mod peer;
pub mod time;
pub mod trace;
pub(crate) mod wire;
pub(crate) mod worker;

use uuid::Uuid;

/// The id of request `number` that came at `millis`: a UUIDv7 without chance.
#[must_use]
pub fn id(millis: i64, number: u64) -> Uuid {
    let millis = u128::from(millis.unsigned_abs()) << 80;
    Uuid::from_u128(millis | 0x7 << 76 | 0b10 << 62 | u128::from(number))
}

/// The number of the request `id`.
pub(crate) fn number(id: Uuid) -> u64 {
    u64::try_from(id.as_u128() & 0xffff_ffff).unwrap_or(0)
}
