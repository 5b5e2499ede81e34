//! Locking what a panic cannot leave half done.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; a poisoned lock holds plain data that is still whole.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
