//! What trained networks share: layers, losses, schedules, the training loop with checkpoints,
//! weight files, and our kernels entered into Burn as differentiable operations.
//!
//! A network is a struct of layers:
//!
//! ```
//! use burn::module::Module;
//! use burn::tensor::{Device, Tensor};
//! use chiasm_core::Seed;
//! use chiasm_nn::{Activation, Linear, LinearConfig};
//!
//! #[derive(Module, Debug)]
//! struct Mlp {
//!     hidden: Linear,
//!     readout: Linear,
//! }
//!
//! impl Mlp {
//!     fn new(seed: Seed, device: &Device) -> Self {
//!         Mlp {
//!             hidden: LinearConfig::new(784, 128)
//!                 .with_activation(Activation::Relu)
//!                 .init(seed.named("hidden"), device),
//!             readout: LinearConfig::new(128, 10).init(seed.named("readout"), device),
//!         }
//!     }
//!
//!     fn forward(&self, images: Tensor<2>) -> Tensor<2> {
//!         self.readout.forward(self.hidden.forward(images))
//!     }
//! }
//! ```

mod attention;
mod convolution;
mod device;
mod embedding;
mod error;
pub mod initial;
mod layer_norm;
mod linear;
pub mod loss;
pub mod operation;
mod optimizer;
mod recycling;
mod schedule;
pub mod training;
pub mod weights;

pub use attention::{
    AttentionConfig, MultiHeadAttention, TransformerBlock, attention, attention_ordinary,
    self_attention,
};
pub use convolution::{
    Conv2d, Conv2dConfig, Conv2dOptions, conv2d, conv2d_ordinary, max_pool2d, max_pool2d_ordinary,
};
pub use device::{open_device, with_threads};
pub use embedding::{Embedding, EmbeddingConfig, embedding, embedding_ordinary};
pub use error::{Error, Result};
pub use layer_norm::{LayerNorm, LayerNormConfig, layer_norm, layer_norm_ordinary};
pub use linear::{Activation, Linear, LinearConfig, linear, linear_ordinary};
pub use optimizer::{Adam, AdamSettings, Rates};
pub use schedule::Schedule;
