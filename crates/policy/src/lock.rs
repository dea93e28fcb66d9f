//! Taking the lock around a decision core.
//!
//! Cores run no code of users and leave no half-made state behind, so the poison flag of a std
//! mutex tells nothing here and is ignored: no panic elsewhere can take a policy out of service.

use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
