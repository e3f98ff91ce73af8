//! Weights in and out of networks, as arrays with dotted names and as safetensors files.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use chiasm_core::Error as CoreError;
use chiasm_core::run::write_atomically;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};

/// One weight: its sizes and its elements in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Sizes, slowest axis first.
    pub shape: Vec<usize>,
    /// Elements.
    pub values: Vec<f32>,
}

/// Weights by dotted name, e.g. `layers.0.weight`.
pub type Weights = BTreeMap<String, Weight>;

/// The weights of `model`, by the names of its fields.
pub fn weights<M: Module>(model: &M) -> Weights {
    let mut collector = Collector::default();
    model.visit(&mut collector);
    collector.weights
}

/// `model` with `weights` in place of its own. Names and shapes must be the model's;
/// `path` is named in errors.
pub fn with_weights<M: Module>(model: M, weights: Weights, path: &Path) -> Result<M> {
    let mut loader = Loader {
        path: Vec::new(),
        weights,
        problem: None,
    };
    let model = model.map(&mut loader);
    if let Some((name, reason)) = loader.problem {
        return Err(Error::Weight {
            path: path.into(),
            name,
            reason,
        });
    }
    match loader.weights.into_keys().next() {
        Some(name) => Err(Error::Weight {
            path: path.into(),
            name,
            reason: "the network has no weight of this name".into(),
        }),
        None => Ok(model),
    }
}

/// Writes the weights of `model` to a safetensors file, whole or not at all.
pub fn save<M: Module>(model: &M, path: &Path) -> Result<()> {
    write(&weights(model), None, path)
}

/// `model` with the weights of a safetensors file.
pub fn load<M: Module>(model: M, path: &Path) -> Result<M> {
    with_weights(model, read(path)?, path)
}

/// Writes weights and a text under the metadata key `chiasm`.
pub(crate) fn write(weights: &Weights, note: Option<String>, path: &Path) -> Result<()> {
    let bytes = |reason: safetensors::SafeTensorError| Error::WeightFile {
        path: path.into(),
        reason: reason.to_string(),
    };
    let little: Vec<(&String, &Weight, Vec<u8>)> = weights
        .iter()
        .map(|(name, weight)| {
            (
                name,
                weight,
                weight.values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            )
        })
        .collect();
    let views = little
        .iter()
        .map(|(name, weight, data)| {
            let view = TensorView::new(Dtype::F32, weight.shape.clone(), data).map_err(bytes)?;
            Ok((name.as_str(), view))
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata = note.map(|note| [("chiasm".to_string(), note)].into_iter().collect());
    let file = safetensors::serialize(views, metadata).map_err(bytes)?;
    Ok(write_atomically(path, &file)?)
}

/// The arrays of a safetensors file, by name.
pub fn read(path: &Path) -> Result<Weights> {
    Ok(read_with_note(path)?.0)
}

/// Reads weights and the text under the metadata key `chiasm`.
pub(crate) fn read_with_note(path: &Path) -> Result<(Weights, Option<String>)> {
    let refuse = |reason: String| Error::WeightFile {
        path: path.into(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|error| CoreError::file(path, error))?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| refuse(format!("not a safetensors file: {error}")))?;
    let (_, header) =
        SafeTensors::read_metadata(&bytes).map_err(|error| refuse(error.to_string()))?;
    let note = header
        .metadata()
        .as_ref()
        .and_then(|map| map.get("chiasm").cloned());
    let mut weights = Weights::new();
    for (name, view) in file.iter() {
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => {
                let (words, _) = view.data().as_chunks::<4>();
                words.iter().map(|word| f32::from_le_bytes(*word)).collect()
            }
            Dtype::F64 => {
                let (words, _) = view.data().as_chunks::<8>();
                words
                    .iter()
                    .map(|word| f64::from_le_bytes(*word) as f32)
                    .collect()
            }
            other => {
                return Err(Error::Weight {
                    path: path.into(),
                    name: name.into(),
                    reason: format!("stored as {other:?}, expected F32 or F64"),
                });
            }
        };
        weights.insert(
            name.into(),
            Weight {
                shape: view.shape().to_vec(),
                values,
            },
        );
    }
    Ok((weights, note))
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    weights: Weights,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val().inner();
        let weight = Weight {
            shape: tensor.dims().to_vec(),
            values: crate::operation::floats(tensor),
        };
        self.weights.insert(self.path.join("."), weight);
    }
}

struct Loader {
    path: Vec<String>,
    weights: Weights,
    problem: Option<(String, String)>,
}

impl ModuleMapper for Loader {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let shape = param.dims().to_vec();
        let Some(weight) = self.weights.remove(&name) else {
            self.problem.get_or_insert((name, "missing".into()));
            return param;
        };
        if weight.shape != shape {
            let reason = format!("has shape {:?}, expected {shape:?}", weight.shape);
            self.problem.get_or_insert((name, reason));
            return param;
        }
        param.map(|old| {
            let tracked = old.is_require_grad();
            let data = TensorData::new(weight.values, weight.shape);
            Tensor::from_data(data, &old.device()).set_require_grad(tracked)
        })
    }
}
