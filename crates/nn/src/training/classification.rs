//! Classification of labelled examples.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use chiasm_core::{Error as CoreError, Seed};
use ndarray::{ArrayD, Axis};

use super::Objective;
use crate::error::Result;
use crate::loss::{accuracy, cross_entropy};

/// A network that gives one logit a class for inputs of rank `D`, the batch first.
pub trait Classifier<const D: usize>: Module {
    /// (batch, …) to (batch, classes).
    fn logits(&self, input: Tensor<D>) -> Tensor<2>;
}

/// Labelled examples on a device.
#[derive(Clone, Debug)]
pub struct Examples<const D: usize> {
    inputs: Tensor<D>,
    labels: Vec<usize>,
}

impl<const D: usize> Examples<D> {
    /// `inputs` of rank `D` with the examples along the first axis, and a label below `classes` for
    /// each.
    pub fn new(
        inputs: &ArrayD<f32>,
        labels: Vec<usize>,
        classes: usize,
        device: &Device,
    ) -> Result<Self> {
        let shape = |axis, found, expected: String| CoreError::Shape {
            operation: "classification",
            what: "the inputs".into(),
            axis,
            found,
            expected,
        };
        if inputs.ndim() != D {
            return Err(shape("number of axes", inputs.ndim(), D.to_string()).into());
        }
        if inputs.len_of(Axis(0)) != labels.len() {
            let expected = format!("{} (one for each label)", labels.len());
            return Err(shape("examples", inputs.len_of(Axis(0)), expected).into());
        }
        if let Some(label) = labels.iter().find(|label| **label >= classes) {
            return Err(CoreError::setting("label", label, format!("below {classes}")).into());
        }
        let values: Vec<f32> = inputs.iter().copied().collect();
        if let Some(first) = values.iter().position(|value| !value.is_finite()) {
            let count = values.iter().filter(|value| !value.is_finite()).count();
            let first = format!("element {first}");
            return Err(CoreError::NotFinite {
                what: "the inputs".into(),
                count,
                first,
            }
            .into());
        }
        let data = TensorData::new(values, inputs.shape().to_vec());
        let device = device.clone().without_autodiff();
        Ok(Examples {
            inputs: Tensor::from_data(data, &device),
            labels,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The examples with these indices.
    pub fn batch(&self, indices: &[usize]) -> (Tensor<D>, Tensor<1, Int>) {
        let device = self.inputs.device();
        let places: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
        let labels: Vec<i64> = indices
            .iter()
            .map(|&index| self.labels[index] as i64)
            .collect();
        let count = indices.len();
        let places = Tensor::from_data(TensorData::new(places, [count]), &device);
        let labels = Tensor::from_data(TensorData::new(labels, [count]), &device);
        (self.inputs.clone().select(0, places), labels)
    }

    /// Mean cross-entropy and accuracy of `model`, in batches.
    pub fn evaluate<M: Classifier<D>>(&self, model: &M) -> (f64, f64) {
        const BATCH: usize = 256;
        let indices: Vec<usize> = (0..self.len()).collect();
        let (mut loss, mut right) = (0.0, 0.0);
        for batch in indices.chunks(BATCH) {
            let (inputs, labels) = self.batch(batch);
            let logits = model.logits(inputs).inner();
            let value = crate::operation::floats(cross_entropy(logits.clone(), labels.clone()));
            loss += f64::from(value[0]) * batch.len() as f64;
            right += accuracy(logits, labels) * batch.len() as f64;
        }
        let count = self.len().max(1) as f64;
        (loss / count, right / count)
    }
}

/// Cross-entropy on labelled examples; the validation measure is the same on others.
#[derive(Clone, Debug)]
pub struct Classification<const D: usize> {
    /// What is trained on.
    pub training: Examples<D>,
    /// What early stopping looks at.
    pub validation: Option<Examples<D>>,
}

impl<const D: usize, M: Classifier<D>> Objective<M> for Classification<D> {
    fn examples(&self) -> usize {
        self.training.len()
    }

    fn loss(&self, model: &M, batch: &[usize], _: Seed) -> Result<Tensor<1>> {
        let (inputs, labels) = self.training.batch(batch);
        Ok(cross_entropy(model.logits(inputs), labels))
    }

    fn validate(&self, model: &M) -> Result<Option<f64>> {
        Ok(self
            .validation
            .as_ref()
            .map(|examples| examples.evaluate(model).0))
    }
}
