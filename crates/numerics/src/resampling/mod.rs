//! Bootstrap and permutation.
