//! Layer normalisation (Ba, Kiros & Hinton 2016).

use rayon::prelude::*;

use crate::simd::{dot, sum, vectorised_fn};

/// Rows a thread takes at a time: fixed, so that sums over rows are.
const ROWS: usize = 32;

/// `output = (x − mean) / √(variance + epsilon) · scale + shift` over each row of `width`.
///
/// `input` and `output` (rows x width), `scale` and `shift` (width). `statistics` (rows x 2)
/// receives each row's mean and 1/√(variance + epsilon), which [`backward`] needs.
pub fn forward(
    width: usize,
    epsilon: f32,
    input: &[f32],
    scale: &[f32],
    shift: &[f32],
    output: &mut [f32],
    statistics: &mut [f32],
) {
    assert!(width > 0 && scale.len() == width && shift.len() == width);
    assert!(input.len() == output.len() && input.len() == statistics.len() / 2 * width);
    input
        .par_chunks(ROWS * width)
        .zip(output.par_chunks_mut(ROWS * width))
        .zip(statistics.par_chunks_mut(ROWS * 2))
        .for_each(|((input, output), statistics)| {
            normalise(epsilon, input, scale, shift, output, statistics);
        });
}

/// The gradients of [`forward`] at input (rows x width), scale and shift (width each).
pub fn backward(
    width: usize,
    input: &[f32],
    scale: &[f32],
    statistics: &[f32],
    gradient: &[f32],
    [input_gradient, scale_gradient, shift_gradient]: [&mut [f32]; 3],
) {
    assert!(width > 0 && scale.len() == width);
    assert!(scale_gradient.len() == width && shift_gradient.len() == width);
    assert!(input.len() == gradient.len() && input.len() == input_gradient.len());
    assert_eq!(input.len(), statistics.len() / 2 * width);
    let sums: Vec<Vec<f32>> = input
        .par_chunks(ROWS * width)
        .zip(gradient.par_chunks(ROWS * width))
        .zip(input_gradient.par_chunks_mut(ROWS * width))
        .zip(statistics.par_chunks(ROWS * 2))
        .map(|(((input, gradient), input_gradient), statistics)| {
            let mut sums = vec![0.0; 2 * width];
            let (scale_sum, shift_sum) = sums.split_at_mut(width);
            undo(
                input,
                scale,
                statistics,
                gradient,
                input_gradient,
                scale_sum,
                shift_sum,
            );
            sums
        })
        .collect();
    scale_gradient.fill(0.0);
    shift_gradient.fill(0.0);
    for sums in sums {
        let (scale_sum, shift_sum) = sums.split_at(width);
        scale_gradient
            .iter_mut()
            .zip(scale_sum)
            .for_each(|(total, sum)| *total += sum);
        shift_gradient
            .iter_mut()
            .zip(shift_sum)
            .for_each(|(total, sum)| *total += sum);
    }
}

vectorised_fn! {
    fn normalise(
        epsilon: f32,
        input: &[f32],
        scale: &[f32],
        shift: &[f32],
        output: &mut [f32],
        statistics: &mut [f32],
    ) {
        let width = scale.len();
        let rows = input.chunks_exact(width).zip(output.chunks_exact_mut(width));
        for ((x, y), statistics) in rows.zip(statistics.as_chunks_mut::<2>().0) {
            let mean = sum(x) / width as f32;
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x - mean);
            let inverse = 1.0 / (dot(y, y) / width as f32 + epsilon).sqrt();
            *statistics = [mean, inverse];
            for ((y, scale), shift) in y.iter_mut().zip(scale).zip(shift) {
                *y = *y * inverse * scale + shift;
            }
        }
    }

    fn undo(
        input: &[f32],
        scale: &[f32],
        statistics: &[f32],
        gradient: &[f32],
        input_gradient: &mut [f32],
        scale_sum: &mut [f32],
        shift_sum: &mut [f32],
    ) {
        let width = scale.len();
        let mut normal = vec![0.0; width];
        let rows = input.chunks_exact(width).zip(gradient.chunks_exact(width));
        let rows = rows.zip(input_gradient.chunks_exact_mut(width));
        for (((x, dy), dx), [mean, inverse]) in rows.zip(statistics.as_chunks::<2>().0) {
            normal.iter_mut().zip(x).for_each(|(n, x)| *n = (x - mean) * inverse);
            scale_sum.iter_mut().zip(dy).zip(&normal).for_each(|((sum, dy), n)| *sum += dy * n);
            shift_sum.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
            dx.iter_mut().zip(dy).zip(scale).for_each(|((dx, dy), scale)| *dx = dy * scale);
            let along = dot(dx, &normal) / width as f32;
            let level = sum(dx) / width as f32;
            for (dx, n) in dx.iter_mut().zip(&normal) {
                *dx = (*dx - level - along * n) * inverse;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_with_the_mean_and_spread_asked_for() {
        let input: Vec<f32> = (0..70 * 24).map(|i| ((i * 31) % 97) as f32).collect();
        let (mut output, mut statistics) = (vec![0.0; input.len()], vec![0.0; 140]);
        forward(
            24,
            0.0,
            &input,
            &[2.0; 24],
            &[5.0; 24],
            &mut output,
            &mut statistics,
        );
        for row in output.chunks(24) {
            let mean = row.iter().sum::<f32>() / 24.0;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 24.0;
            assert!((mean - 5.0).abs() < 1e-5 && (variance - 4.0).abs() < 1e-4);
        }
    }

    #[test]
    fn a_gradient_along_the_row_or_its_level_changes_nothing() {
        // The output does not change when a row is shifted or stretched.
        let input = [1.0, 4.0, -2.0, 0.5, 3.0];
        let (mut output, mut statistics) = ([0.0; 5], [0.0; 2]);
        forward(
            5,
            0.0,
            &input,
            &[1.0; 5],
            &[0.0; 5],
            &mut output,
            &mut statistics,
        );
        let (mut dx, mut scale, mut shift) = ([0.0; 5], [0.0; 5], [0.0; 5]);
        let gradient: Vec<f32> = output.iter().map(|n| 3.0 * n + 2.0).collect();
        backward(
            5,
            &input,
            &[1.0; 5],
            &statistics,
            &gradient,
            [&mut dx, &mut scale, &mut shift],
        );
        assert!(dx.iter().all(|v| v.abs() < 1e-6), "{dx:?}");
        assert_eq!(shift.to_vec(), gradient);
    }
}
