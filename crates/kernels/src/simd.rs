//! Vector arithmetic chosen at run time, and the elementary functions loops vectorise over.

use rayon::prelude::*;

/// Elements a thread takes at a time in element-wise loops: 64 KiB of `f32`, so that a few
/// streams stay in the second-level cache and scheduling costs nothing.
pub const CHUNK: usize = 16 * 1024;

/// Defines functions that are compiled once for each set of vector instructions and pick the widest
/// one this machine has when they are called. Helpers they call must be `#[inline(always)]`.
macro_rules! vectorised_fn {
    ($($(#[$note:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)+) => {$(
        $(#[$note])*
        #[allow(clippy::too_many_arguments)]
        $visible fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn plain($($argument: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn widest($($argument: $type),*) $(-> $result)? { plain($($argument),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn wide($($argument: $type),*) $(-> $result)? { plain($($argument),*) }
                if crate::simd::has_avx512() {
                    // SAFETY: this machine has the instructions, as was just asked.
                    #[allow(unsafe_code)]
                    return unsafe { widest($($argument),*) };
                }
                if crate::simd::has_avx2() {
                    // SAFETY: as above.
                    #[allow(unsafe_code)]
                    return unsafe { wide($($argument),*) };
                }
            }
            plain($($argument),*)
        }
    )+};
}
pub(crate) use vectorised_fn;

/// Whether [`vectorised_fn`] may take its 512-bit road.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && has_avx2()
}

/// Whether [`vectorised_fn`] may take its 256-bit road.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// Runs `work` compiled for the widest vector instructions this machine has.
///
/// Only what is inlined into `work` is compiled so, and the compiler may decline to inline a
/// closure of more than a few lines: write what is hot as a `vectorised_fn`.
#[inline(always)]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Work<F> {
        type Output = R;
        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Work(work))
}

/// `exp(x)`, relative error below 3e-7 for x in [-87, 88]; 0 below, the value at 88 above.
///
/// Free of branches, so that loops over it vectorise.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // 2^23 * 1.5: adding it leaves the nearest integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-88.0, 88.0);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let exponent = shifted - ROUND;
    // ln 2 in two parts, so that the remainder is exact to the last bit.
    let remainder = (clamped - exponent * 0.693_359_4) + exponent * 2.121_944_4e-4;
    let r = remainder;
    let polynomial = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.666_666_5e-1
                    + r * (4.166_579_6e-2
                        + r * (8.333_452e-3 + r * (1.393_436_5e-3 + r * 1.983_2e-4))))));
    let scale = f32::from_bits(shifted.to_bits().wrapping_shl(23).wrapping_add(0x3f80_0000));
    if x < -87.0 { 0.0 } else { polynomial * scale }
}

/// The sum of `values`, in sixteen interleaved partial sums: the order is fixed.
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    fold(values, 0.0, |a, b| a + b)
}

/// The largest of `values`; minus infinity for none.
#[inline(always)]
pub fn max(values: &[f32]) -> f32 {
    fold(values, f32::NEG_INFINITY, |a, b| if b > a { b } else { a })
}

/// The inner product of two slices of one length.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let mut lanes = [0.0f32; 16];
    let (a_blocks, a_rest) = a.as_chunks::<16>();
    let (b_blocks, b_rest) = b.as_chunks::<16>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..16 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let mut total = reduce(lanes, |a, b| a + b);
    for (x, y) in a_rest.iter().zip(b_rest) {
        total += x * y;
    }
    total
}

#[inline(always)]
fn fold(values: &[f32], start: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; 16];
    let (blocks, rest) = values.as_chunks::<16>();
    for block in blocks {
        for lane in 0..16 {
            lanes[lane] = join(lanes[lane], block[lane]);
        }
    }
    let mut total = reduce(lanes, &join);
    for &value in rest {
        total = join(total, value);
    }
    total
}

#[inline(always)]
fn reduce(mut lanes: [f32; 16], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = 8;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Sums over the rows of a (rows x `width`) matrix into `sums`, in parallel over fixed blocks of
/// rows that are then added in order.
pub fn column_sums(matrix: &[f32], width: usize, sums: &mut [f32]) {
    const ROWS: usize = 64;
    assert_eq!(sums.len(), width);
    assert_eq!(matrix.len() % width.max(1), 0);
    let partial: Vec<Vec<f32>> = matrix
        .par_chunks(ROWS * width.max(1))
        .map(|rows| {
            let mut total = vec![0.0; width];
            add_rows(rows, &mut total);
            total
        })
        .collect();
    sums.fill(0.0);
    for block in partial {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += value;
        }
    }
}

vectorised_fn! {
    /// Adds every row of `rows` to `total`.
    pub(crate) fn add_rows(rows: &[f32], total: &mut [f32]) {
        for row in rows.chunks_exact(total.len().max(1)) {
            total.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_its_stated_error() {
        let mut worst = 0.0f64;
        let mut x = -87.0f32;
        while x < 88.0 {
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - exact).abs() / exact);
            x += 0.000_37;
        }
        assert!(worst < 3e-7, "{worst:e}");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1000.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn reductions_match_serial_ones() {
        let values: Vec<f32> = (0..101).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
        assert_eq!(sum(&values), values.iter().sum::<f32>());
        assert_eq!(max(&values), 50.0);
        assert_eq!(
            dot(&values, &values),
            values.iter().map(|v| v * v).sum::<f32>()
        );
        assert_eq!(max(&[]), f32::NEG_INFINITY);
    }

    #[test]
    fn column_sums_match_the_definition() {
        let matrix: Vec<f32> = (0..131 * 7).map(|i| (i % 13) as f32).collect();
        let mut sums = vec![9.0; 7];
        column_sums(&matrix, 7, &mut sums);
        for (column, &sum) in sums.iter().enumerate() {
            assert_eq!(
                sum,
                (0..131).map(|row| matrix[row * 7 + column]).sum::<f32>()
            );
        }
    }
}
