//! What an entry counts for against `max_bytes`, so that the *file* stays within it, give or take 2 MiB. Pure arithmetic.
//!
//! The file is larger than what lies in it, for three reasons, each measured:
//! - A page is 4 KiB, or for a larger value the next power of two. Small values share pages, which splits and removals
//!   leave half full: twice their length.
//! - The file grows by doubling. Twice the pages in use is the most it can have after it grew.
//! - A commit writes pages anew before it frees the old ones, and the trees above the leaves need pages too: an eighth
//!   on top, and [`BASE`] whatever the size.
//!
//! So an entry counts for 9/4 of its pages. Measured with random appends, ends and removals at many limits: mostly the
//! file came to between 0.4 and 0.9 of `max_bytes`. What several commits at once have in use does not depend on the
//! limit, though, and may come on top of a small one: 2 MiB at most. The ballast lies beside it.

/// Small values share a page; from about a third of it on each has its own.
const SHARES_A_PAGE: u64 = 1360;
const PAGE: u64 = 4096;
/// Of the store itself, per value.
const OVERHEAD: u64 = 64;
/// What an end will add to an open entry, most likely: paid in advance, so that it can be recorded when all is full.
const END: u64 = 128;
/// Kept from the limit: what an almost empty file needs. Of a small limit half.
const BASE: u64 = 1 << 20;

/// What an open entry with `length` bytes of JSON counts for, its end included.
pub(super) fn open(length: usize) -> u64 {
    pages(bytes(length) + END)
}

/// What an ended entry with `length` bytes of JSON counts for.
pub(super) fn ended(length: usize) -> u64 {
    pages(bytes(length))
}

/// What an idempotency key of `length` bytes counts for.
pub(super) fn key(length: usize) -> u64 {
    pages(bytes(length))
}

/// What all entries may count for together: for a new entry an eighth less than for recording the end of one that is there.
pub(super) fn limit(max_bytes: u64, is_new: bool) -> u64 {
    let limit = max_bytes - BASE.min(max_bytes / 2);
    if is_new { limit - limit / 8 } else { limit }
}

/// How many bytes one commit may write: while it runs the old pages and the new ones are both in use.
pub(super) fn batch_bytes(max_bytes: u64) -> usize {
    let bytes = (max_bytes / 64).clamp(64 << 10, 4 << 20);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn pages(bytes: u64) -> u64 {
    let bytes = bytes + OVERHEAD;
    let pages = if bytes <= SHARES_A_PAGE {
        2 * bytes
    } else {
        bytes.next_power_of_two().max(PAGE)
    };
    pages * 9 / 4
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX / 8)
}
