//! Attention and the transformer block.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor, activation};
use chiasm_core::Seed;
use chiasm_kernels::attention::{self as kernel, AttentionGradients, AttentionShape, Layout};

use crate::layer_norm::{LayerNorm, LayerNormConfig};
use crate::linear::{Activation, Linear, LinearConfig};
use crate::operation::{Array, Operation, apply, on_kernels};

/// Sizes of a [`MultiHeadAttention`] or a [`TransformerBlock`].
#[derive(Clone, Debug)]
pub struct AttentionConfig {
    /// Features of each token.
    pub features: usize,
    /// Heads; divides `features`.
    pub heads: usize,
    /// Whether a token sees only itself and those before it.
    pub causal: bool,
}

impl AttentionConfig {
    /// Every token sees every token.
    pub fn new(features: usize, heads: usize) -> Self {
        AttentionConfig {
            features,
            heads,
            causal: false,
        }
    }

    /// The same, each token seeing only itself and those before it.
    pub fn causal(self) -> Self {
        AttentionConfig {
            causal: true,
            ..self
        }
    }

    /// The attention layer.
    pub fn init(&self, seed: Seed, device: &Device) -> MultiHeadAttention {
        let features = self.features;
        let input = LinearConfig::new(features, 3 * features);
        let output = LinearConfig::new(features, features);
        MultiHeadAttention {
            input: input.init(seed.named("input"), device),
            output: output.init(seed.named("output"), device),
            heads: self.heads,
            causal: self.causal,
        }
    }

    /// A block of attention and a perceptron with `hidden` units.
    pub fn init_block(&self, hidden: usize, seed: Seed, device: &Device) -> TransformerBlock {
        let norm = LayerNormConfig::new(self.features);
        let expand = LinearConfig::new(self.features, hidden).with_activation(Activation::Gelu);
        let contract = LinearConfig::new(hidden, self.features);
        TransformerBlock {
            attention_norm: norm.init(device),
            attention: self.init(seed.named("attention"), device),
            perceptron_norm: norm.init(device),
            expand: expand.init(seed.named("expand"), device),
            contract: contract.init(seed.named("contract"), device),
        }
    }
}

/// Self-attention with several heads (Vaswani et al. 2017).
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    /// Tokens to queries, keys and values, side by side.
    pub input: Linear,
    /// Mixed values to the output.
    pub output: Linear,
    heads: usize,
    causal: bool,
}

impl MultiHeadAttention {
    /// (batch, time, features) to the same.
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let packed = self.input.forward(tokens);
        self.output
            .forward(self_attention(packed, self.heads, self.causal))
    }
}

/// Attention and a perceptron, each after a layer norm and added to its input.
#[derive(Module, Debug)]
pub struct TransformerBlock {
    /// Before the attention.
    pub attention_norm: LayerNorm,
    /// The attention.
    pub attention: MultiHeadAttention,
    /// Before the perceptron.
    pub perceptron_norm: LayerNorm,
    /// To the hidden units, with GELU.
    pub expand: Linear,
    /// Back to the features.
    pub contract: Linear,
}

impl TransformerBlock {
    /// (batch, time, features) to the same.
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let tokens = self
            .attention
            .forward(self.attention_norm.forward(tokens.clone()))
            + tokens;
        let hidden = self
            .expand
            .forward(self.perceptron_norm.forward(tokens.clone()));
        self.contract.forward(hidden) + tokens
    }
}

/// Attention of sequences to themselves: `packed` (batch, time, 3 · features) holds queries, keys
/// and values side by side, each split evenly over `heads`; gives (batch, time, features).
pub fn self_attention(packed: Tensor<3>, heads: usize, causal: bool) -> Tensor<3> {
    if on_kernels(&packed) {
        return apply(Attention { heads, causal }, [packed.into_dispatch()]);
    }
    let [query, key, value]: [Tensor<3>; 3] = match packed.chunk(3, 2).try_into() {
        Ok(parts) => parts,
        Err(_) => unreachable!("three parts were asked for"),
    };
    attention_ordinary(query, key, value, heads, causal)
}

/// Attention of `query` (batch, queries, features) to `key` and `value` (batch, keys, features),
/// split evenly over `heads`; gives (batch, queries, features). `causal` needs as many keys as
/// queries.
pub fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    heads: usize,
    causal: bool,
) -> Tensor<3> {
    if !on_kernels(&query) {
        return attention_ordinary(query, key, value, heads, causal);
    }
    let inputs = [
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
    ];
    apply(Attention { heads, causal }, inputs)
}

/// [`attention`] by ordinary tensor operations: what runs away from the CPU.
pub fn attention_ordinary(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    heads: usize,
    causal: bool,
) -> Tensor<3> {
    let split = |tensor: Tensor<3>| {
        let [batch, time, features] = tensor.dims();
        tensor
            .reshape([batch, time, heads, features / heads])
            .swap_dims(1, 2)
    };
    let [batch, queries, features] = query.dims();
    let keys = key.dims()[1];
    let device = query.device();
    let scale = ((features / heads) as f32).sqrt().recip();
    let mut scores = split(query).matmul(split(key).swap_dims(2, 3)) * scale;
    if causal {
        let hidden = Tensor::<2, Bool>::tril_mask([queries, keys], 0, &device);
        scores = scores.mask_fill(hidden.unsqueeze(), f32::NEG_INFINITY);
    }
    let mixed = activation::softmax(scores, 3).matmul(split(value));
    mixed.swap_dims(1, 2).reshape([batch, queries, features])
}

#[derive(Debug)]
struct Attention {
    heads: usize,
    causal: bool,
}

#[derive(Clone, Debug)]
struct Saved<const N: usize> {
    inputs: [Array; N],
    output: Array,
    log_sums: Array,
}

impl Attention {
    fn shape(&self, batch: usize, queries: usize, keys: usize, features: usize) -> AttentionShape {
        let Attention { heads, causal } = *self;
        assert!(
            heads > 0 && features.is_multiple_of(heads),
            "{features} features over {heads} heads"
        );
        AttentionShape {
            batch,
            heads,
            width: features / heads,
            queries,
            keys,
            causal,
        }
    }

    fn run(shape: AttentionShape, inputs: [&Array; 3], layouts: [Layout; 3]) -> (Array, Array) {
        let features = shape.heads * shape.width;
        let mut output = Array::unset([shape.batch, shape.queries, features]);
        let mut log_sums = Array::unset([shape.batch, shape.heads, shape.queries]);
        let values = inputs.map(Array::values);
        kernel::forward(
            shape,
            values,
            layouts,
            output.values_mut(),
            log_sums.values_mut(),
        );
        (output, log_sums)
    }
}

impl Operation<1> for Attention {
    type Saved = Saved<1>;

    fn forward(&self, [packed]: [Array; 1]) -> (Array, Self::Saved) {
        let [batch, time, features] = sizes(&packed);
        let shape = self.shape(batch, time, time, features / 3);
        let (output, log_sums) = Self::run(shape, [&packed; 3], Layout::packed(features / 3));
        (
            output.clone(),
            Saved {
                inputs: [packed],
                output,
                log_sums,
            },
        )
    }

    fn backward(&self, saved: Self::Saved, gradient: Array, _: [bool; 1]) -> [Option<Array>; 1] {
        let Saved {
            inputs: [packed],
            output,
            log_sums,
        } = saved;
        let [batch, time, features] = sizes(&packed);
        let mut result = Array::unset([batch, time, features]);
        kernel::backward(
            self.shape(batch, time, time, features / 3),
            [packed.values(); 3],
            Layout::packed(features / 3),
            output.values(),
            log_sums.values(),
            gradient.values(),
            AttentionGradients::Packed(result.values_mut()),
        );
        [Some(result)]
    }
}

impl Operation<3> for Attention {
    type Saved = Saved<3>;

    fn forward(&self, inputs: [Array; 3]) -> (Array, Self::Saved) {
        let [batch, queries, features] = sizes(&inputs[0]);
        let keys = sizes(&inputs[1])[1];
        let shape = self.shape(batch, queries, keys, features);
        let parts = [&inputs[0], &inputs[1], &inputs[2]];
        let (output, log_sums) = Self::run(shape, parts, [Layout::apart(features); 3]);
        (
            output.clone(),
            Saved {
                inputs,
                output,
                log_sums,
            },
        )
    }

    fn backward(&self, saved: Self::Saved, gradient: Array, _: [bool; 3]) -> [Option<Array>; 3] {
        let Saved {
            inputs,
            output,
            log_sums,
        } = saved;
        let [batch, queries, features] = sizes(&inputs[0]);
        let keys = sizes(&inputs[1])[1];
        let mut results = inputs.each_ref().map(|input| Array::unset(input.shape()));
        let [query, key, value] = &mut results;
        kernel::backward(
            self.shape(batch, queries, keys, features),
            [inputs[0].values(), inputs[1].values(), inputs[2].values()],
            [Layout::apart(features); 3],
            output.values(),
            log_sums.values(),
            gradient.values(),
            AttentionGradients::Apart([query.values_mut(), key.values_mut(), value.values_mut()]),
        );
        results.map(Some)
    }
}

fn sizes(array: &Array) -> [usize; 3] {
    let shape = array.shape();
    [shape[0], shape[1], shape[2]]
}
