//! One array written by several threads, each in places of its own.

#![allow(unsafe_code)]

use std::marker::PhantomData;

/// A mutable slice from which threads take parts that do not overlap, e.g. columns of a matrix.
pub(crate) struct DisjointMut<'a> {
    start: *mut f32,
    len: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

// SAFETY: the only access is `slice`, whose caller promises that parts in use never overlap.
unsafe impl Send for DisjointMut<'_> {}
// SAFETY: as above.
unsafe impl Sync for DisjointMut<'_> {}

impl<'a> DisjointMut<'a> {
    /// Borrows `values` for sharing out.
    pub(crate) fn new(values: &'a mut [f32]) -> Self {
        DisjointMut {
            start: values.as_mut_ptr(),
            len: values.len(),
            lifetime: PhantomData,
        }
    }

    /// The part `[offset, offset + len)`.
    ///
    /// # Safety
    /// No other part taken from this array and still in use may overlap it.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice(&self, offset: usize, len: usize) -> &'a mut [f32] {
        assert!(
            offset <= self.len && len <= self.len - offset,
            "part out of range"
        );
        // SAFETY: the range was checked; the caller promises that parts do not overlap.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }
}
