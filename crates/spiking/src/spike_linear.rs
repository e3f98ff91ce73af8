//! Synapses without delays, on spikes.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use chiasm_core::Seed;
use chiasm_kernels::gemm::{Matrix, multiply};
use chiasm_kernels::sparse_linear::{DENSE_FROM, SparseRows};
use chiasm_nn::initial::uniform;
use chiasm_nn::operation::{Array, Operation, apply, on_kernels};

/// `x W` over the last axis, fast where x is mostly zeros.
#[derive(Module, Debug)]
pub struct SpikeLinear {
    /// W, (inputs x outputs).
    pub weight: Param<Tensor<2>>,
}

impl SpikeLinear {
    /// Weights uniform in ±`bound`.
    pub fn new(inputs: usize, outputs: usize, bound: f64, seed: Seed, device: &Device) -> Self {
        SpikeLinear {
            weight: uniform(seed, [inputs, outputs], bound, device),
        }
    }

    /// (steps, batch, inputs) to (steps, batch, outputs).
    pub fn forward(&self, spikes: Tensor<3>) -> Tensor<3> {
        spike_linear(spikes, self.weight.val())
    }
}

/// `spikes weight` over the last axis; zeros among the spikes cost nothing where they are many.
pub fn spike_linear(spikes: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    if !on_kernels(&spikes) {
        return spike_linear_ordinary(spikes, weight);
    }
    apply(
        SparseProduct,
        [spikes.into_dispatch(), weight.into_dispatch()],
    )
}

/// [`spike_linear`] by ordinary tensor operations.
pub fn spike_linear_ordinary(spikes: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let [steps, batch, inputs] = spikes.dims();
    let outputs = weight.dims()[1];
    let rows = spikes.reshape([steps * batch, inputs]);
    rows.matmul(weight).reshape([steps, batch, outputs])
}

#[derive(Debug)]
struct SparseProduct;

/// The input, in whichever form the products use.
#[derive(Clone, Debug)]
enum Input {
    Sparse(Arc<SparseRows>),
    Dense(Array),
}

impl Operation<2> for SparseProduct {
    type Saved = (Input, Array);

    fn forward(&self, [spikes, weight]: [Array; 2]) -> (Array, Self::Saved) {
        let [steps, batch, inputs] = [0, 1, 2].map(|axis| spikes.shape()[axis]);
        let outputs = weight.shape()[1];
        assert_eq!(inputs, weight.shape()[0], "channels of spikes and weights");
        let rows = steps * batch;
        let sparse = SparseRows::from_dense(rows, inputs, spikes.values());
        let mut output = Array::zeros([steps, batch, outputs]);
        let input = if sparse.density() < DENSE_FROM {
            sparse.times(outputs, weight.values(), output.values_mut());
            Input::Sparse(Arc::new(sparse))
        } else {
            multiply(
                Matrix::new(spikes.values(), rows, inputs),
                Matrix::new(weight.values(), inputs, outputs),
                output.values_mut(),
            );
            Input::Dense(spikes)
        };
        (output, (input, weight))
    }

    fn backward(
        &self,
        (input, weight): Self::Saved,
        gradient: Array,
        wanted: [bool; 2],
    ) -> [Option<Array>; 2] {
        let [steps, batch, outputs] = [0, 1, 2].map(|axis| gradient.shape()[axis]);
        let inputs = weight.shape()[0];
        let rows = steps * batch;
        let of_output = Matrix::new(gradient.values(), rows, outputs);
        let of_spikes = wanted[0].then(|| {
            let mut result = Array::zeros([steps, batch, inputs]);
            let weight = Matrix::new(weight.values(), inputs, outputs).transposed();
            multiply(of_output, weight, result.values_mut());
            result
        });
        let of_weight = wanted[1].then(|| {
            let mut result = Array::zeros([inputs, outputs]);
            match &input {
                Input::Sparse(sparse) => {
                    sparse.weight_gradient(outputs, gradient.values(), result.values_mut());
                }
                Input::Dense(spikes) => {
                    let spikes = Matrix::new(spikes.values(), rows, inputs).transposed();
                    multiply(spikes, of_output, result.values_mut());
                }
            }
            result
        });
        [of_spikes, of_weight]
    }
}
