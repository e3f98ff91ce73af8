//! Normalisation of each channel over all rows (examples, and time steps where there are any).
//!
//! Matrices are (rows x channels). Sums are taken over fixed blocks of rows and added in order.

use rayon::prelude::*;

use crate::simd::vectorised;

/// Rows whose sums one thread takes together.
const ROWS: usize = 256;

/// Mean and (biased) variance of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelStatistics {
    /// The means.
    pub mean: Vec<f32>,
    /// The mean squared deviations from them.
    pub variance: Vec<f32>,
}

/// Mean and variance of every column of a (rows x `channels`) matrix; zeros for no rows.
pub fn statistics(matrix: &[f32], channels: usize) -> ChannelStatistics {
    assert!(channels > 0 && matrix.len().is_multiple_of(channels));
    let rows = (matrix.len() / channels).max(1) as f64;
    // Deviations from the first row keep squares small where the mean is far from zero.
    let zeros = vec![0.0; channels];
    let shift = matrix.get(..channels).unwrap_or(&zeros);
    let [sums, squares] = column_sums(matrix, channels, |row, [sums, squares]| {
        for (((value, shift), sum), square) in row.iter().zip(shift).zip(sums).zip(squares) {
            let deviation = value - shift;
            *sum += deviation;
            *square += deviation * deviation;
        }
    });
    let mut statistics = ChannelStatistics {
        mean: Vec::with_capacity(channels),
        variance: Vec::with_capacity(channels),
    };
    for ((sum, square), shift) in sums.iter().zip(&squares).zip(shift) {
        let mean = sum / rows;
        statistics.mean.push(shift + mean as f32);
        statistics
            .variance
            .push((square / rows - mean * mean).max(0.0) as f32);
    }
    statistics
}

/// `output = scale · input + shift`, channel by channel.
pub fn scale_and_shift(input: &[f32], scale: &[f32], shift: &[f32], output: &mut [f32]) {
    let channels = scale.len();
    assert_eq!(shift.len(), channels);
    assert_eq!(input.len(), output.len());
    assert!(channels > 0 && input.len().is_multiple_of(channels));
    output
        .par_chunks_mut(ROWS * channels)
        .zip(input.par_chunks(ROWS * channels))
        .for_each(|(output, input)| {
            vectorised(|| {
                let rows = output
                    .chunks_exact_mut(channels)
                    .zip(input.chunks_exact(channels));
                for (output, input) in rows {
                    for (((output, input), scale), shift) in
                        output.iter_mut().zip(input).zip(scale).zip(shift)
                    {
                        *output = input * scale + shift;
                    }
                }
            })
        });
}

/// The gradients of scale and shift of a normalisation.
pub struct AffineGradient {
    /// By the factor on the normalised values.
    pub of_scale: Vec<f32>,
    /// By what is added to them.
    pub of_shift: Vec<f32>,
}

/// Turns the gradient at `scale · (input - mean) / √(variance + epsilon) + shift` into the one at
/// `input`, in place, with mean and variance those of `input` itself.
pub fn backward(
    input: &[f32],
    statistics: &ChannelStatistics,
    epsilon: f32,
    scale: &[f32],
    gradient: &mut [f32],
) -> AffineGradient {
    let channels = scale.len();
    let mean = &statistics.mean[..channels];
    assert_eq!(statistics.variance.len(), channels);
    assert_eq!(input.len(), gradient.len());
    assert!(channels > 0 && input.len().is_multiple_of(channels));
    let rows = (input.len() / channels).max(1) as f64;
    let inverse: Vec<f32> = statistics
        .variance
        .iter()
        .map(|variance| 1.0 / (variance + epsilon).sqrt())
        .collect();
    let [of_shift, products] = column_sums_of_two(input, gradient, channels, mean);
    let of_shift: Vec<f32> = of_shift.iter().map(|&sum| sum as f32).collect();
    let of_scale: Vec<f32> = products
        .iter()
        .zip(&inverse)
        .map(|(&sum, inverse)| sum as f32 * inverse)
        .collect();
    // Per channel: gradient · a + (input - mean) · b + c.
    let a: Vec<f32> = scale.iter().zip(&inverse).map(|(s, i)| s * i).collect();
    let by_row = |sum: f32| (f64::from(sum) / rows) as f32;
    let b: Vec<f32> = (0..channels)
        .map(|c| -a[c] * inverse[c] * by_row(of_scale[c]))
        .collect();
    let c: Vec<f32> = (0..channels).map(|c| -a[c] * by_row(of_shift[c])).collect();
    gradient
        .par_chunks_mut(ROWS * channels)
        .zip(input.par_chunks(ROWS * channels))
        .for_each(|(gradient, input)| {
            vectorised(|| {
                let rows = gradient
                    .chunks_exact_mut(channels)
                    .zip(input.chunks_exact(channels));
                let (a, b, c) = (&a[..channels], &b[..channels], &c[..channels]);
                for (gradient, input) in rows {
                    for channel in 0..channels {
                        gradient[channel] = gradient[channel] * a[channel]
                            + (input[channel] - mean[channel]) * b[channel]
                            + c[channel];
                    }
                }
            })
        });
    AffineGradient { of_scale, of_shift }
}

/// Two sums a column over all rows, in double precision between blocks.
fn column_sums(
    matrix: &[f32],
    channels: usize,
    add: impl Fn(&[f32], [&mut [f32]; 2]) + Sync,
) -> [Vec<f64>; 2] {
    let blocks: Vec<[Vec<f32>; 2]> = matrix
        .par_chunks(ROWS * channels)
        .map(|rows| {
            let mut sums = [vec![0.0; channels], vec![0.0; channels]];
            vectorised(|| {
                for row in rows.chunks_exact(channels) {
                    let [first, second] = &mut sums;
                    add(row, [first, second]);
                }
            });
            sums
        })
        .collect();
    total(&blocks, channels)
}

/// Sums of the gradient, and of the gradient times the centred input.
fn column_sums_of_two(
    input: &[f32],
    gradient: &[f32],
    channels: usize,
    mean: &[f32],
) -> [Vec<f64>; 2] {
    let blocks: Vec<[Vec<f32>; 2]> = input
        .par_chunks(ROWS * channels)
        .zip(gradient.par_chunks(ROWS * channels))
        .map(|(input, gradient)| {
            let mut sums = [vec![0.0; channels], vec![0.0; channels]];
            vectorised(|| {
                let [plain, products] = &mut sums;
                let rows = input
                    .chunks_exact(channels)
                    .zip(gradient.chunks_exact(channels));
                for (input, gradient) in rows {
                    for ((((input, gradient), mean), plain), product) in input
                        .iter()
                        .zip(gradient)
                        .zip(mean)
                        .zip(plain.iter_mut())
                        .zip(products.iter_mut())
                    {
                        *plain += gradient;
                        *product += gradient * (input - mean);
                    }
                }
            });
            sums
        })
        .collect();
    total(&blocks, channels)
}

fn total(blocks: &[[Vec<f32>; 2]], channels: usize) -> [Vec<f64>; 2] {
    let mut totals = [vec![0.0; channels], vec![0.0; channels]];
    for block in blocks {
        for (total, sums) in totals.iter_mut().zip(block) {
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += f64::from(*sum);
            }
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn random(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn statistics_survive_a_far_mean() {
        let (rows, channels) = (1000, 3);
        let matrix: Vec<f32> = random(rows * channels, 1)
            .iter()
            .map(|v| 1000.0 + v)
            .collect();
        let found = statistics(&matrix, channels);
        for channel in 0..channels {
            let column: Vec<f64> = (0..rows)
                .map(|r| f64::from(matrix[r * channels + channel]))
                .collect();
            let mean = column.iter().sum::<f64>() / rows as f64;
            let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / rows as f64;
            assert!((f64::from(found.mean[channel]) - mean).abs() < 1e-3);
            assert!((f64::from(found.variance[channel]) / variance - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (rows, channels, epsilon) = (7, 2, 1e-3);
        let input = random(rows * channels, 2);
        let scale = [1.5f32, -0.7];
        let weights = random(rows * channels, 3);
        let loss = |input: &[f64], scale: [f64; 2], shift: [f64; 2]| -> f64 {
            let mut loss = 0.0;
            for channel in 0..channels {
                let column: Vec<f64> = (0..rows).map(|r| input[r * channels + channel]).collect();
                let mean = column.iter().sum::<f64>() / rows as f64;
                let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / rows as f64;
                for (row, value) in column.iter().enumerate() {
                    let normal = (value - mean) / (variance + f64::from(epsilon)).sqrt();
                    loss += f64::from(weights[row * channels + channel])
                        * (scale[channel] * normal + shift[channel]);
                }
            }
            loss
        };
        let mut gradient = weights.clone();
        let affine = backward(
            &input,
            &statistics(&input, channels),
            epsilon,
            &scale,
            &mut gradient,
        );
        let wide: Vec<f64> = input.iter().map(|&v| f64::from(v)).collect();
        let scale = scale.map(f64::from);
        let h = 1e-5;
        for index in 0..rows * channels {
            let moved = |sign: f64| {
                let mut input = wide.clone();
                input[index] += sign * h;
                loss(&input, scale, [0.0; 2])
            };
            let slope = (moved(1.0) - moved(-1.0)) / (2.0 * h);
            assert!((f64::from(gradient[index]) - slope).abs() < 1e-4);
        }
        for channel in 0..channels {
            let at = |by: f64| {
                let mut moved = [0.0; 2];
                moved[channel] = by;
                moved
            };
            let by_scale = |by| {
                loss(
                    &wide,
                    [scale[0] + at(by)[0], scale[1] + at(by)[1]],
                    [0.0; 2],
                )
            };
            let slope = (by_scale(h) - by_scale(-h)) / (2.0 * h);
            assert!((f64::from(affine.of_scale[channel]) - slope).abs() < 1e-4);
            let slope = (loss(&wide, scale, at(h)) - loss(&wide, scale, at(-h))) / (2.0 * h);
            assert!((f64::from(affine.of_shift[channel]) - slope).abs() < 1e-4);
        }
    }

    #[test]
    fn scaling_and_shifting_is_per_channel() {
        let mut output = vec![0.0; 4];
        scale_and_shift(
            &[1.0, 2.0, 3.0, 4.0],
            &[2.0, 10.0],
            &[0.5, -1.0],
            &mut output,
        );
        assert_eq!(output, [2.5, 19.0, 6.5, 39.0]);
    }
}
