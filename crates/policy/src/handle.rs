//! Handles to what calls share.
//!
//! Each call holds several, and each clone writes to a counter. Were there but one counter per
//! shared thing, threads would spend most of a call passing it to and fro. So a counter can be had
//! for each thread: a fork leads to the same thing and counts its own clones.

use std::ops::Deref;

use crate::sync::Arc;

#[derive(Debug)]
#[expect(
    clippy::redundant_allocation,
    reason = "the outer one is what is counted per thread"
)]
pub(crate) struct Handle<T>(Arc<Arc<T>>);

impl<T> Handle<T> {
    pub(crate) fn new(shared: T) -> Self {
        Self(Arc::new(Arc::new(shared)))
    }

    /// The same thing, with a counter of its own.
    pub(crate) fn fork(&self) -> Self {
        let shared: &Arc<T> = &self.0;
        Self(Arc::new(Arc::clone(shared)))
    }

    /// Whether both lead to the same thing.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let (one, other): (&Arc<T>, &Arc<T>) = (&self.0, &other.0);
        Arc::ptr_eq(one, other)
    }

    /// Whether there are other handles to the same thing, forks included.
    pub(crate) fn is_shared(&self) -> bool {
        let shared: &Arc<T> = &self.0;
        Arc::strong_count(&self.0) > 1 || Arc::strong_count(shared) > 1
    }
}

impl<T> Clone for Handle<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Handle<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}
