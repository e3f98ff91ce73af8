//! Max-pooling over square windows without overlap.

use rayon::prelude::*;

use crate::simd::vectorised_fn;

vectorised_fn! {
    /// Keeps the largest element of each (`side` x `side`) window of every (height x width) plane, the
    /// first among equals, and writes its place in the window to `winners`. Rows and columns that
    /// fill no window are dropped. `side` is at most 16.
    pub(crate) fn pool(
        size: [usize; 2],
        side: usize,
        planes: &[f32],
        output: &mut [f32],
        winners: &mut [u8],
    ) {
        let [height, width] = size;
        let (rows, columns) = (height / side, width / side);
        if side == 2 && height % 2 == 0 && width % 2 == 0 {
            return pool_pairs(width, planes, output, winners);
        }
        let windows = output.chunks_exact_mut(columns).zip(winners.chunks_exact_mut(columns));
        for (row, (values, winners)) in windows.enumerate() {
            let top = row / rows * height * width + row % rows * side * width;
            for (x, (value, winner)) in values.iter_mut().zip(winners).enumerate() {
                (*value, *winner) = (planes[top + x * side], 0);
                for place in 1..side * side {
                    let tap = planes[top + place / side * width + x * side + place % side];
                    if tap > *value || tap.is_nan() {
                        (*value, *winner) = (tap, place as u8);
                    }
                }
            }
        }
    }

    /// Sends the gradient of each window to its winner and zero everywhere else.
    pub(crate) fn unpool(
        size: [usize; 2],
        side: usize,
        winners: &[u8],
        gradient: &[f32],
        planes: &mut [f32],
    ) {
        let [height, width] = size;
        let (rows, columns) = (height / side, width / side);
        let windows = gradient.chunks_exact(columns).zip(winners.chunks_exact(columns));
        if side == 2 && height % 2 == 0 && width % 2 == 0 {
            for ((gradient, winners), lines) in windows.zip(planes.chunks_exact_mut(2 * width)) {
                let (top, bottom) = lines.split_at_mut(width);
                let (top, bottom) = (top.as_chunks_mut::<2>().0, bottom.as_chunks_mut::<2>().0);
                let pairs = top.iter_mut().zip(bottom);
                for ((top, bottom), (gradient, winner)) in pairs.zip(gradient.iter().zip(winners)) {
                    let here = |place: u8| if *winner == place { *gradient } else { 0.0 };
                    *top = [here(0), here(1)];
                    *bottom = [here(2), here(3)];
                }
            }
            return;
        }
        planes.fill(0.0);
        for (row, (gradient, winners)) in windows.enumerate() {
            let top = row / rows * height * width + row % rows * side * width;
            for (x, (gradient, winner)) in gradient.iter().zip(winners).enumerate() {
                let (dy, dx) = (usize::from(*winner) / side, usize::from(*winner) % side);
                planes[top + dy * width + x * side + dx] = *gradient;
            }
        }
    }
}

/// [`pool`] for windows of four that cover the planes.
#[inline(always)]
fn pool_pairs(width: usize, planes: &[f32], output: &mut [f32], winners: &mut [u8]) {
    let rows = output
        .chunks_exact_mut(width / 2)
        .zip(winners.chunks_exact_mut(width / 2));
    for ((values, winners), lines) in rows.zip(planes.chunks_exact(2 * width)) {
        let (top, bottom) = lines.split_at(width);
        let pairs = top.as_chunks::<2>().0.iter().zip(bottom.as_chunks::<2>().0);
        for (([a, b], [c, d]), (value, winner)) in pairs.zip(values.iter_mut().zip(winners)) {
            // NaN wins, so that it is not hidden.
            let (high, right) = if *a >= *b || a.is_nan() {
                (*a, 0)
            } else {
                (*b, 1)
            };
            let (low, left) = if *c >= *d || c.is_nan() {
                (*c, 2)
            } else {
                (*d, 3)
            };
            let upper = high >= low || high.is_nan();
            *value = if upper { high } else { low };
            *winner = if upper { right } else { left };
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
            pool(size, side, input, output, winners);
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
            unpool(size, side, winners, gradient, input);
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
