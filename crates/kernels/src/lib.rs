//! Hot loops on plain slices, with hand-written backward passes.
//!
//! No tensors, no files: every function takes `f32` slices in row-major order together with
//! their sizes, writes into slices its caller owns, and runs on all threads of the current rayon
//! pool. Work is cut at places that do not depend on how threads race, so the same input on the
//! same number of threads gives the same bytes. Vector instructions are chosen at run time: one
//! binary serves every machine of its architecture.
//!
//! Sizes that do not fit are a programming error and panic through `assert!`; the floors above
//! check what comes from outside.

pub mod activation;
pub mod adam;
pub mod attention;
pub mod batch_norm;
pub mod convolution;
pub mod delay_convolution;
pub mod delay_kernel;
mod disjoint;
pub mod embedding;
pub mod gemm;
pub mod layer_norm;
pub mod linear;
pub mod pooling;
pub mod simd;
pub mod softmax;
pub mod sparse_linear;
mod spectral_convolution;
pub mod spiking_scan;
