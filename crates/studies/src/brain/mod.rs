//! Encoding, decoding and similarity of brains and models.

pub(crate) mod trsa;
