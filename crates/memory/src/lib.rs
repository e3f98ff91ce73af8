//! Sparse codes, dendrites and associative memory.
