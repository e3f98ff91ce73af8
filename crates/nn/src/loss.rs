//! Losses: what training makes small.

use std::sync::Arc;

use burn::tensor::{Int, Tensor, activation};
use chiasm_kernels::softmax;

use crate::operation::{Array, Operation, apply, integers, on_kernels};

/// The mean over examples of −log softmax(logits) at the target, in nats.
///
/// `logits` (examples, classes), `targets` (examples) below the number of classes.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    if !on_kernels(&logits) {
        return cross_entropy_ordinary(logits, targets);
    }
    let targets: Vec<usize> = integers(targets)
        .into_iter()
        .map(|class| class as usize)
        .collect();
    assert_eq!(
        logits.dims()[0],
        targets.len(),
        "targets of a cross-entropy"
    );
    apply(CrossEntropy(Arc::new(targets)), [logits.into_dispatch()])
}

/// [`cross_entropy`] by ordinary tensor operations: what runs away from the CPU.
pub fn cross_entropy_ordinary(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let examples = targets.dims()[0];
    let picked = activation::log_softmax(logits, 1).gather(1, targets.reshape([examples, 1]));
    picked.mean().neg()
}

/// The mean squared difference over all elements.
pub fn mean_squared_error<const D: usize>(predicted: Tensor<D>, target: Tensor<D>) -> Tensor<1> {
    (predicted - target).square().mean()
}

/// The share of examples whose largest logit is the target's, in [0, 1].
pub fn accuracy(logits: Tensor<2>, targets: Tensor<1, Int>) -> f64 {
    let examples = targets.dims()[0];
    let predicted = integers(logits.argmax(1).reshape([examples]));
    let right = predicted
        .iter()
        .zip(integers(targets))
        .filter(|(a, b)| *a == b)
        .count();
    right as f64 / examples.max(1) as f64
}

#[derive(Debug)]
struct CrossEntropy(Arc<Vec<usize>>);

impl Operation<1> for CrossEntropy {
    /// The softmax, (examples x classes).
    type Saved = Array;

    fn forward(&self, [logits]: [Array; 1]) -> (Array, Array) {
        let classes = logits.shape()[1];
        let mut softmax = Array::unset(logits.shape());
        let loss = softmax::cross_entropy(logits.values(), classes, &self.0, softmax.values_mut());
        (Array::new(vec![loss], [1]), softmax)
    }

    fn backward(&self, mut softmax: Array, gradient: Array, _: [bool; 1]) -> [Option<Array>; 1] {
        let classes = softmax.shape()[1];
        let scale = gradient.values()[0];
        softmax::cross_entropy_backward(softmax.values_mut(), classes, &self.0, scale);
        [Some(softmax)]
    }
}
