//! Encoding, decoding and similarity of brains and models.

pub(crate) mod image_triplets;
pub(crate) mod trsa;
