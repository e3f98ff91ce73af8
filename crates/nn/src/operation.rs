//! Our loops entered into Burn's tape.
//!
//! An [`Operation`] has a forward and a backward pass over plain slices; [`apply`] runs it on
//! Burn tensors and records it, so that `loss.backward()` goes through it like through any other.
//! It works on the CPU backend in single precision; a function that has such an operation asks
//! [`on_kernels`] and otherwise takes its body of ordinary differentiable tensor operations, which
//! runs on every device and is what the operation's gradients are checked against.

use std::fmt::Debug;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, BackendTensor, DispatchAutodiffContext, DispatchKindConversion,
    DispatchTensor, Flex, GradientCheckpointingStrategy,
};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::recycling;

/// An array of `f32` in row-major order without gaps, shared until it is written to. Its memory is
/// kept for the next array of its size when the last one that holds it goes.
#[derive(Clone, Debug)]
pub struct Array(Option<FloatTensor<Flex>>);

impl Drop for Array {
    fn drop(&mut self) {
        if let Some(tensor) = self.0.take().filter(|tensor| tensor.is_unique())
            && let Ok(values) = tensor.into_data().try_into_vec::<f32>()
        {
            recycling::give(values);
        }
    }
}

impl Array {
    /// Wraps `values`, whose number is the product of `shape`.
    pub fn new(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> Self {
        let data = TensorData::new(values, shape.into());
        Array(Some(FloatTensor::<Flex>::from_data(data)))
    }

    /// An array whose elements are anything: for those that are all written before any is read.
    pub fn unset(shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        Array::new(recycling::take(shape.iter().product()), shape)
    }

    /// Zeros.
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        let mut array = Array::unset(shape);
        array.values_mut().fill(0.0);
        array
    }

    /// The sizes, slowest axis first.
    pub fn shape(&self) -> &[usize] {
        self.tensor().layout().shape().as_slice()
    }

    /// The elements.
    pub fn values(&self) -> &[f32] {
        self.tensor().storage()
    }

    /// The elements for writing; copied first where the array is shared.
    pub fn values_mut(&mut self) -> &mut [f32] {
        match &mut self.0 {
            Some(tensor) => tensor.storage_mut(),
            None => unreachable!("only `drop` and `into_primitive` take the tensor out"),
        }
    }

    /// The elements of an untracked tensor that satisfies [`on_kernels`]; copied only where the
    /// tensor is a view with gaps.
    pub fn from_tensor<const D: usize>(tensor: Tensor<D>) -> Self {
        Array::from_primitive(plain(tensor.into_dispatch()))
    }

    /// An untracked CPU tensor of rank `D` that owns this array.
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_dispatch(self.into_dispatch())
    }

    fn into_dispatch(self) -> DispatchTensor {
        let tensor = BackendTensor::Float(self.into_primitive());
        <DispatchTensor as DispatchKindConversion<Flex>>::from_backend(tensor)
    }

    fn from_primitive(primitive: FloatTensor<Flex>) -> Self {
        let count = primitive.layout().num_elements();
        let whole = primitive.is_contiguous()
            && primitive.layout().start_offset() == 0
            && primitive.bytes().len() == count * size_of::<f32>();
        Array(Some(if whole {
            primitive
        } else {
            primitive.to_contiguous()
        }))
    }

    fn into_primitive(mut self) -> FloatTensor<Flex> {
        match self.0.take() {
            Some(tensor) => tensor,
            None => unreachable!("only `drop` and `into_primitive` take the tensor out"),
        }
    }

    fn tensor(&self) -> &FloatTensor<Flex> {
        match &self.0 {
            Some(tensor) => tensor,
            None => unreachable!("only `drop` and `into_primitive` take the tensor out"),
        }
    }
}

/// A differentiable operation of `N` inputs on plain arrays.
///
/// The value itself holds what is not differentiated: settings, integer labels.
pub trait Operation<const N: usize>: Debug + Send + 'static {
    /// What the backward pass needs from the forward pass. Cloning an [`Array`] is free.
    type Saved: Clone + Debug + Send + 'static;

    /// The output, and what to keep for the backward pass.
    fn forward(&self, inputs: [Array; N]) -> (Array, Self::Saved);

    /// The gradient at each input, in the shape of that input. `wanted[i]` says whether the one
    /// at input `i` is used: answer `None` where it is not. `gradient` is usually the only
    /// reference to its array, so that writing into it costs no copy.
    fn backward(
        &self,
        saved: Self::Saved,
        gradient: Array,
        wanted: [bool; N],
    ) -> [Option<Array>; N];
}

/// Whether operations of ours can run on `tensor`: it lives on the CPU, in single precision.
pub fn on_kernels<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && tensor.device().without_autodiff() == Device::flex()
}

/// Runs `operation` on tensors (each turned into a [`DispatchTensor`] by `into_dispatch`, so that
/// ranks may differ) and records it for the backward pass where one of them is tracked.
///
/// All inputs must satisfy [`on_kernels`], and `D` must be the rank of the operation's output;
/// anything else is a programming error and panics.
pub fn apply<O: Operation<N>, const N: usize, const D: usize>(
    operation: O,
    inputs: [DispatchTensor; N],
) -> Tensor<D> {
    let context = inputs
        .iter()
        .fold(DispatchAutodiffContext::Disabled, |context, input| {
            context.merge(input.autodiff)
        });
    let output = match context {
        DispatchAutodiffContext::Disabled => {
            let (output, _) =
                operation.forward(inputs.map(|input| Array::from_primitive(plain(input))));
            output.into_dispatch()
        }
        DispatchAutodiffContext::Enabled(GradientCheckpointingStrategy::Disabled) => {
            record::<O, N, NoCheckpointing>(operation, inputs)
        }
        DispatchAutodiffContext::Enabled(GradientCheckpointingStrategy::Balanced) => {
            record::<O, N, BalancedCheckpointing>(operation, inputs)
        }
    };
    Tensor::from_dispatch(output)
}

/// The integers of a tensor on the CPU, converted where they are not 64 bits wide.
pub fn integers<const D: usize>(tensor: Tensor<D, Int>) -> Vec<i64> {
    tensor.into_data().iter::<i64>().collect()
}

/// The elements of a float tensor, in order.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn plain(tensor: DispatchTensor) -> FloatTensor<Flex> {
    match <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(tensor) {
        Ok(tensor) => tensor.float(),
        Err(reason) => unreachable!("an operation was applied off the CPU: {reason}"),
    }
}

fn record<O, const N: usize, C>(operation: O, inputs: [DispatchTensor; N]) -> DispatchTensor
where
    O: Operation<N>,
    C: CheckpointStrategy,
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let tracked = inputs.map(|input| match input.autodiff {
        DispatchAutodiffContext::Disabled => {
            <Autodiff<Flex> as AutodiffBackend>::from_inner(plain(input))
        }
        DispatchAutodiffContext::Enabled(_) => {
            match <DispatchTensor as DispatchKindConversion<Autodiff<Flex, C>>>::try_into_backend(
                input,
            ) {
                Ok(tensor) => tensor.float(),
                Err(reason) => unreachable!("an operation was applied off the CPU: {reason}"),
            }
        }
    });
    let guards = tracked.each_ref().map(|tensor| tensor.node());
    let arrays = tracked.map(|tensor| Array::from_primitive(tensor.into_primitive()));
    let (output, saved) = operation.forward(arrays);
    let output = match Recorded(operation)
        .prepare::<C>(guards)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(step) => step.finish(saved, output.into_primitive()),
        OpsKind::UnTracked(step) => step.finish(output.into_primitive()),
    };
    <DispatchTensor as DispatchKindConversion<Autodiff<Flex, C>>>::from_backend(
        BackendTensor::Float(output),
    )
}

#[derive(Debug)]
struct Recorded<O>(O);

impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Recorded<O> {
    type State = O::Saved;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = Array::from_primitive(grads.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let gradients = self.0.backward(ops.state, gradient, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient.into_primitive());
            }
        }
    }
}
