//! Communities and models of weighted graphs.
