//! Learned vectors for integer symbols.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use chiasm_core::Seed;
use chiasm_kernels::embedding as kernel;
use std::sync::Arc;

use crate::initial::normal;
use crate::operation::{Array, Operation, apply, integers, on_kernels};

/// Sizes of an [`Embedding`].
#[derive(Clone, Debug)]
pub struct EmbeddingConfig {
    /// Symbols.
    pub symbols: usize,
    /// Features of each.
    pub features: usize,
    /// Standard deviation of the initial vectors.
    pub standard_deviation: f64,
}

impl EmbeddingConfig {
    /// Standard normal vectors.
    pub fn new(symbols: usize, features: usize) -> Self {
        EmbeddingConfig {
            symbols,
            features,
            standard_deviation: 1.0,
        }
    }

    /// The same with another initial spread.
    pub fn with_standard_deviation(self, standard_deviation: f64) -> Self {
        EmbeddingConfig {
            standard_deviation,
            ..self
        }
    }

    /// The table.
    pub fn init(&self, seed: Seed, device: &Device) -> Embedding {
        let shape = [self.symbols, self.features];
        Embedding {
            weight: normal(seed.named("weight"), shape, self.standard_deviation, device),
        }
    }
}

/// A vector for each symbol.
#[derive(Module, Debug)]
pub struct Embedding {
    /// (symbols x features).
    pub weight: Param<Tensor<2>>,
}

impl Embedding {
    /// (batch, time) symbols to (batch, time, features).
    pub fn forward(&self, symbols: Tensor<2, Int>) -> Tensor<3> {
        embedding(self.weight.val(), symbols)
    }
}

/// The rows of `table` (symbols x features) at `symbols` (batch, time).
pub fn embedding(table: Tensor<2>, symbols: Tensor<2, Int>) -> Tensor<3> {
    if !on_kernels(&table) {
        return embedding_ordinary(table, symbols);
    }
    let shape = symbols.dims();
    let ids: Vec<usize> = integers(symbols)
        .into_iter()
        .map(|id| id as usize)
        .collect();
    let entries = table.dims()[0];
    assert!(
        ids.iter().all(|id| *id < entries),
        "symbols of an embedding of {entries}"
    );
    apply(
        Lookup {
            ids: Arc::new(ids),
            shape,
            entries,
        },
        [table.into_dispatch()],
    )
}

/// [`embedding`] by ordinary tensor operations: what runs away from the CPU.
pub fn embedding_ordinary(table: Tensor<2>, symbols: Tensor<2, Int>) -> Tensor<3> {
    let [batch, time] = symbols.dims();
    let features = table.dims()[1];
    table
        .select(0, symbols.reshape([batch * time]))
        .reshape([batch, time, features])
}

#[derive(Debug)]
struct Lookup {
    ids: Arc<Vec<usize>>,
    shape: [usize; 2],
    entries: usize,
}

impl Operation<1> for Lookup {
    type Saved = usize;

    fn forward(&self, [table]: [Array; 1]) -> (Array, usize) {
        let features = table.shape()[1];
        let mut output = Array::unset([self.shape[0], self.shape[1], features]);
        kernel::forward(features, table.values(), &self.ids, output.values_mut());
        (output, features)
    }

    fn backward(&self, features: usize, gradient: Array, _: [bool; 1]) -> [Option<Array>; 1] {
        let mut table = Array::unset([self.entries, features]);
        kernel::backward(features, &self.ids, gradient.values(), table.values_mut());
        [Some(table)]
    }
}
