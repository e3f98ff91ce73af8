//! The Adam update in one pass over memory.

use rayon::prelude::*;

use crate::simd::{CHUNK, vectorised_fn};

/// Numbers of one Adam step (Kingma & Ba 2015, algorithm 1, with the decoupled weight decay of
/// Loshchilov & Hutter 2019).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Step size.
    pub learning_rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Weight decay added to the gradient (L2).
    pub l2: f32,
    /// Weight decay taken from the parameter directly, times the step size (AdamW).
    pub decoupled_decay: f32,
    /// Number of this step, from 1.
    pub step: u64,
}

/// Updates `parameter` and both moments in place.
pub fn step(
    settings: AdamStep,
    parameter: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    let AdamStep {
        learning_rate,
        beta1,
        beta2,
        epsilon,
        l2,
        decoupled_decay,
        step,
    } = settings;
    assert!(
        gradient.len() == parameter.len()
            && first.len() == parameter.len()
            && second.len() == parameter.len()
    );
    let exponent = step as f64;
    let correction1 = 1.0 - f64::from(beta1).powf(exponent);
    let correction2 = 1.0 - f64::from(beta2).powf(exponent);
    let rate = (f64::from(learning_rate) / correction1) as f32;
    let root = (1.0 / correction2.sqrt()) as f32;
    let keep = 1.0 - learning_rate * decoupled_decay;
    parameter
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(first.par_chunks_mut(CHUNK))
        .zip(second.par_chunks_mut(CHUNK))
        .for_each(|(((parameter, gradient), first), second)| {
            let numbers = [beta1, beta2, epsilon, l2, keep, rate, root];
            update(numbers, parameter, gradient, first, second);
        });
}

vectorised_fn! {
    fn update(
        numbers: [f32; 7],
        parameter: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let [beta1, beta2, epsilon, l2, keep, rate, root] = numbers;
        let values = parameter.iter_mut().zip(gradient).zip(first).zip(second);
        for (((parameter, gradient), first), second) in values {
            let gradient = gradient + l2 * *parameter;
            *first = beta1 * *first + (1.0 - beta1) * gradient;
            *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
            *parameter = *parameter * keep - rate * *first / (second.sqrt() * root + epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: AdamStep = AdamStep {
        learning_rate: 0.1,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 0.0,
        l2: 0.0,
        decoupled_decay: 0.0,
        step: 1,
    };

    #[test]
    fn the_first_step_has_the_size_of_the_learning_rate() {
        let mut parameter = vec![1.0, 1.0];
        let (mut first, mut second) = (vec![0.0; 2], vec![0.0; 2]);
        step(
            PLAIN,
            &mut parameter,
            &[4.0, -0.01],
            &mut first,
            &mut second,
        );
        assert!((parameter[0] - 0.9).abs() < 1e-6 && (parameter[1] - 1.1).abs() < 1e-6);
    }

    #[test]
    fn both_decays_match_the_equations() {
        let settings = AdamStep {
            l2: 0.5,
            decoupled_decay: 0.2,
            epsilon: 1e-8,
            step: 2,
            ..PLAIN
        };
        let (p, g, m, v) = (0.7f64, 0.3f64, 0.05f64, 0.02f64);
        let (mut parameter, mut first, mut second) =
            (vec![p as f32], vec![m as f32], vec![v as f32]);
        step(
            settings,
            &mut parameter,
            &[g as f32],
            &mut first,
            &mut second,
        );
        let g = g + 0.5 * p;
        let (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
        let (m_hat, v_hat) = (m / (1.0 - 0.81), v / (1.0 - 0.999f64.powi(2)));
        let expected = p * (1.0 - 0.1 * 0.2) - 0.1 * m_hat / (v_hat.sqrt() + 1e-8);
        assert!((f64::from(parameter[0]) - expected).abs() < 1e-6);
        assert!((f64::from(first[0]) - m).abs() < 1e-7);
        assert!((f64::from(second[0]) - v).abs() < 1e-7);
    }
}
