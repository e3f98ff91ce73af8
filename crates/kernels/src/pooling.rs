//! Max-pooling over square windows without overlap.

use rayon::prelude::*;

use crate::simd::vectorised;

/// Keeps the largest element of each (`side` x `side`) window of every (height x width) plane, the
/// first among equals, and writes its place in the window to `winners`. Rows and columns that fill
/// no window are dropped. `side` is at most 16.
#[inline(always)]
pub(crate) fn pool(
    [height, width]: [usize; 2],
    side: usize,
    planes: &[f32],
    output: &mut [f32],
    winners: &mut [u8],
) {
    let (pooled_height, pooled_width) = (height / side, width / side);
    let windows = output
        .chunks_exact_mut(pooled_width)
        .zip(winners.chunks_exact_mut(pooled_width));
    for (row, (values, winners)) in windows.enumerate() {
        let (plane, y) = (row / pooled_height, row % pooled_height);
        let top = plane * height * width + y * side * width;
        values.fill(f32::NEG_INFINITY);
        winners.fill(0);
        for dy in 0..side {
            let line = &planes[top + dy * width..top + dy * width + pooled_width * side];
            for dx in 0..side {
                let place = (dy * side + dx) as u8;
                for ((value, winner), window) in values
                    .iter_mut()
                    .zip(winners.iter_mut())
                    .zip(line.chunks_exact(side))
                {
                    let tap = window[dx];
                    let larger = tap > *value || tap.is_nan();
                    *value = if larger { tap } else { *value };
                    *winner = if larger { place } else { *winner };
                }
            }
        }
    }
}

/// Sends the gradient of each window to its winner and zero everywhere else.
#[inline(always)]
pub(crate) fn unpool(
    [height, width]: [usize; 2],
    side: usize,
    winners: &[u8],
    gradient: &[f32],
    planes: &mut [f32],
) {
    let (pooled_height, pooled_width) = (height / side, width / side);
    planes.fill(0.0);
    let rows = gradient
        .chunks_exact(pooled_width)
        .zip(winners.chunks_exact(pooled_width));
    for (row, (gradient, winners)) in rows.enumerate() {
        let (plane, y) = (row / pooled_height, row % pooled_height);
        let top = plane * height * width + y * side * width;
        let lines = &mut planes[top..top + side * width];
        for (x, (gradient, winner)) in gradient.iter().zip(winners).enumerate() {
            let (dy, dx) = (usize::from(*winner) / side, usize::from(*winner) % side);
            lines[dy * width + x * side + dx] = *gradient;
        }
    }
}

/// Max-pools every (height x width) plane of `input` with windows of `side`, at most 16.
///
/// `output` (planes, height / side, width / side); `winners`, of the same size, receives the place
/// of the largest element in each window, row by row.
pub fn max_pool(
    size: [usize; 2],
    side: usize,
    input: &[f32],
    output: &mut [f32],
    winners: &mut [u8],
) {
    let (plane, pooled) = check(size, side, input.len(), output.len(), winners.len());
    if pooled == 0 {
        return;
    }
    let planes = input.par_chunks(plane).zip(output.par_chunks_mut(pooled));
    planes
        .zip(winners.par_chunks_mut(pooled))
        .for_each(|((input, output), winners)| {
            vectorised(|| pool(size, side, input, output, winners));
        });
}

/// The gradient of [`max_pool`] at its input.
pub fn max_pool_backward(
    size: [usize; 2],
    side: usize,
    winners: &[u8],
    gradient: &[f32],
    input_gradient: &mut [f32],
) {
    let (plane, pooled) = check(
        size,
        side,
        input_gradient.len(),
        gradient.len(),
        winners.len(),
    );
    if pooled == 0 {
        return input_gradient.fill(0.0);
    }
    let planes = gradient
        .par_chunks(pooled)
        .zip(input_gradient.par_chunks_mut(plane));
    planes
        .zip(winners.par_chunks(pooled))
        .for_each(|((gradient, input), winners)| {
            vectorised(|| unpool(size, side, winners, gradient, input));
        });
}

fn check(
    size: [usize; 2],
    side: usize,
    input: usize,
    output: usize,
    winners: usize,
) -> (usize, usize) {
    assert!((1..=16).contains(&side), "side of a pooling window");
    let plane = size[0] * size[1];
    let pooled = (size[0] / side) * (size[1] / side);
    assert_eq!(input % plane.max(1), 0);
    assert_eq!(input / plane.max(1) * pooled, output);
    assert_eq!(output, winners);
    (plane, pooled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_each_window_is_kept_and_gets_the_gradient() {
        // One plane of 3 x 5: the last row and column fill no window.
        let input = [1., 9., 2., 2., 7., 3., 4., 2., 5., 7., 8., 8., 8., 8., 8.];
        let (mut output, mut winners) = ([0.0; 2], [0; 2]);
        max_pool([3, 5], 2, &input, &mut output, &mut winners);
        assert_eq!(output, [9.0, 5.0]);
        assert_eq!(winners, [1, 3]);
        let mut gradient = [1.0; 15];
        max_pool_backward([3, 5], 2, &winners, &[2.0, 3.0], &mut gradient);
        let mut expected = [0.0; 15];
        (expected[1], expected[8]) = (2.0, 3.0);
        assert_eq!(gradient, expected);
    }

    #[test]
    fn the_first_among_equals_wins_and_nan_is_not_hidden() {
        let (mut output, mut winners) = ([0.0; 2], [9; 2]);
        let input = [4., 4., 1., f32::NAN, 4., 4., 2., 0.];
        max_pool([2, 4], 2, &input, &mut output, &mut winners);
        assert_eq!((output[0], winners[0]), (4.0, 0));
        assert!(output[1].is_nan());
    }
}
