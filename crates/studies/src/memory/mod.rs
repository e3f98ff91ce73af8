//! Memory and sparse codes.

pub(crate) mod active_dendrites;
