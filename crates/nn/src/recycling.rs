//! Memory of arrays that are gone, kept for the next ones of the same size.
//!
//! A training step asks for the same sizes over and over. Handing memory straight back saves the
//! system from mapping and clearing it every time, and us from writing zeros nobody reads.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Arrays below this many elements are left to the allocator.
const SMALL: usize = 4 * 1024;
/// Elements kept at most: 256 MiB.
const LIMIT: usize = 64 * 1024 * 1024;

#[derive(Default)]
struct Store {
    by_length: HashMap<usize, Vec<Vec<f32>>>,
    held: usize,
}

static STORE: LazyLock<Mutex<Store>> = LazyLock::new(Mutex::default);

/// A vector of `length` elements with whatever values it had before, else zeros.
pub(crate) fn take(length: usize) -> Vec<f32> {
    if length >= SMALL {
        // A panic elsewhere cannot leave the store half changed.
        let mut store = STORE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(values) = store.by_length.get_mut(&length).and_then(Vec::pop) {
            store.held -= length;
            return values;
        }
    }
    vec![0.0; length]
}

/// Keeps `values` for [`take`].
pub(crate) fn give(values: Vec<f32>) {
    let length = values.len();
    if !(SMALL..=LIMIT).contains(&length) {
        return;
    }
    let mut store = STORE.lock().unwrap_or_else(PoisonError::into_inner);
    if store.held + length > LIMIT {
        // Sizes have changed: start over rather than keep what nobody asks for.
        *store = Store::default();
    }
    store.held += length;
    store.by_length.entry(length).or_default().push(values);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_to_the_next_of_its_size() {
        let length = SMALL + 12_345;
        let mut first = take(length);
        first[7] = 3.0;
        let place = first.as_ptr();
        give(first);
        let again = take(length);
        assert_eq!((again.as_ptr(), again[7]), (place, 3.0));
        assert!(take(length).iter().all(|value| *value == 0.0));
        assert!(take(3).iter().all(|value| *value == 0.0));
    }
}
