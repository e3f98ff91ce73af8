//! Dissimilarity matrices, their transforms and comparators.
