//! Methods for recordings of brains.
