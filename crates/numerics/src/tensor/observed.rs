//! Three-way data of which some entries were never observed.

use std::ops::Range;

use chiasm_core::{Error, Result, Seed};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array3, ArrayView3};
use rand::RngExt;
use rayon::prelude::*;

/// Fibres handled at once: what bounds the temporary memory of every product.
const BLOCK: usize = 256;
/// Partial sums of products over fibres. A constant, so that the order of summation, and with it
/// every byte of a result, does not depend on the number of threads.
const LANES: usize = 16;

/// Non-negative data over three axes (first x second x third, e.g. time x animal x pair), kept as
/// fibres along the first axis. A fibre with nothing observed takes no memory and no time.
///
/// Values are `f32`: single precision carries more digits than affinities of recorded traces have,
/// and halves memory and memory traffic; sums over fibres, Gram matrices and solutions are `f64`.
#[derive(Clone, Debug)]
pub struct ObservedTensor {
    dims: [usize; 3],
    /// Second and third index of each fibre, sorted.
    places: Vec<(u32, u32)>,
    /// Fibres x first axis; 0 where an entry is missing.
    values: Vec<f32>,
    /// 1 where an entry was observed, else 0, shaped as `values`; `None` where all fibres are whole.
    observed: Option<Vec<f32>>,
    squares: f64,
}

impl ObservedTensor {
    /// From an array in which NaN marks what was not observed.
    ///
    /// # Errors
    /// [`Error::NotFinite`] on infinite values, [`Error::Unusable`] on negative ones or where nothing
    /// was observed.
    pub fn from_array(values: ArrayView3<'_, f32>) -> Result<Self> {
        let (first, second, third) = values.dim();
        let mut places = Vec::new();
        let mut kept = Vec::new();
        for w in 0..second {
            for p in 0..third {
                let fibre = values.slice(ndarray::s![.., w, p]);
                if fibre.iter().any(|value| !value.is_nan()) {
                    places.push((w, p));
                    kept.extend(fibre);
                }
            }
        }
        Self::from_fibres([first, second, third], places, kept)
    }

    /// From the observed fibres only: `places` holds the (second, third) index of each, `values` is
    /// fibres x first axis, row by row. NaN marks single entries that were not observed.
    ///
    /// # Errors
    /// [`Error::Shape`] where sizes do not fit, [`Error::Unusable`] where a place is out of range or
    /// named twice, or a value negative, [`Error::NotFinite`] on infinite values, [`Error::TooFew`]
    /// where nothing was observed.
    pub fn from_fibres(
        dims: [usize; 3],
        places: Vec<(usize, usize)>,
        mut values: Vec<f32>,
    ) -> Result<Self> {
        const OPERATION: &str = "observed tensor";
        let length = dims[0];
        if values.len() != places.len() * length {
            return Err(Error::Shape {
                operation: OPERATION,
                what: "the fibres".to_string(),
                axis: "values",
                found: values.len(),
                expected: format!("{} fibres of {length}", places.len()),
            });
        }
        if values.is_empty() || values.iter().all(|value| value.is_nan()) {
            return Err(Error::TooFew {
                operation: OPERATION,
                what: "observed entries",
                found: 0,
                needed: 1,
            });
        }
        let limit = u32::MAX as usize;
        if let Some(&(w, p)) = places
            .iter()
            .find(|&&(w, p)| w >= dims[1] || p >= dims[2] || w >= limit || p >= limit)
        {
            return Err(Error::Unusable {
                operation: OPERATION,
                reason: format!("fibre ({w}, {p}) lies outside {} x {}", dims[1], dims[2]),
            });
        }
        if let Some(index) = values
            .iter()
            .position(|value| value.is_infinite() || *value < 0.0)
        {
            let (w, p) = places[index / length];
            let place = format!("({}, {w}, {p})", index % length);
            if values[index] < 0.0 && values[index].is_finite() {
                return Err(Error::Unusable {
                    operation: OPERATION,
                    reason: format!("entry {place} is negative: {}", values[index]),
                });
            }
            return Err(Error::NotFinite {
                what: OPERATION.to_string(),
                count: values.iter().filter(|value| value.is_infinite()).count(),
                first: place,
            });
        }
        if places.windows(2).any(|pair| pair[0] >= pair[1]) {
            let mut order: Vec<usize> = (0..places.len()).collect();
            order.sort_by_key(|&fibre| places[fibre]);
            if order
                .windows(2)
                .any(|pair| places[pair[0]] == places[pair[1]])
            {
                return Err(Error::Unusable {
                    operation: OPERATION,
                    reason: "the same fibre is given twice".to_string(),
                });
            }
            let sorted = order
                .iter()
                .flat_map(|&f| values[f * length..(f + 1) * length].iter().copied());
            values = sorted.collect();
            let places: Vec<_> = order.iter().map(|&fibre| places[fibre]).collect();
            return Self::from_fibres(dims, places, values);
        }
        let observed = values.iter().any(|value| value.is_nan()).then(|| {
            let mask = values
                .iter()
                .map(|value| if value.is_nan() { 0.0 } else { 1.0 })
                .collect();
            values
                .iter_mut()
                .filter(|value| value.is_nan())
                .for_each(|value| *value = 0.0);
            mask
        });
        let squares = values
            .par_chunks(BLOCK * length)
            .map(|block| {
                block
                    .iter()
                    .map(|&value| f64::from(value).powi(2))
                    .sum::<f64>()
            })
            .collect::<Vec<f64>>()
            .into_iter()
            .sum();
        let places = places
            .into_iter()
            .map(|(w, p)| (w as u32, p as u32))
            .collect();
        Ok(ObservedTensor {
            dims,
            places,
            values,
            observed,
            squares,
        })
    }

    /// Sizes of the three axes.
    pub fn dims(&self) -> [usize; 3] {
        self.dims
    }

    /// The second and third index of every fibre that is kept, sorted.
    pub fn places(&self) -> impl ExactSizeIterator<Item = (usize, usize)> + '_ {
        self.places.iter().map(|&(w, p)| (w as usize, p as usize))
    }

    /// The number of observed entries.
    pub fn observed_entries(&self) -> usize {
        match &self.observed {
            None => self.values.len(),
            Some(mask) => mask.iter().filter(|&&seen| seen > 0.0).count(),
        }
    }

    /// The sum of squares of the observed entries.
    pub fn squared_norm(&self) -> f64 {
        self.squares
    }

    /// Dense, with NaN where nothing was observed.
    pub fn to_array(&self) -> Array3<f32> {
        let mut dense = Array3::from_elem((self.dims[0], self.dims[1], self.dims[2]), f32::NAN);
        for (fibre, (w, p)) in self.places().enumerate() {
            for t in 0..self.dims[0] {
                let at = fibre * self.dims[0] + t;
                if self.observed.as_ref().is_none_or(|mask| mask[at] > 0.0) {
                    dense[[t, w, p]] = self.values[at];
                }
            }
        }
        dense
    }

    /// Splits whole fibres off: (kept, held out). A fibre stays where its third index (a pair) would
    /// otherwise be left with none, because then nothing could predict it.
    ///
    /// # Errors
    /// [`Error::Setting`] for a fraction outside (0, 1), [`Error::TooFew`] where no fibre can be spared.
    pub fn hold_out(&self, fraction: f64, seed: Seed) -> Result<(Self, Self)> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(Error::setting(
                "held-out fraction",
                fraction,
                "between 0 and 1",
            ));
        }
        let mut rng = seed.rng();
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, rng.random_range(0..=last));
        }
        let mut left = vec![0usize; self.dims[2]];
        self.places().for_each(|(_, p)| left[p] += 1);
        let wanted = (fraction * self.places.len() as f64).round() as usize;
        let mut out = vec![false; self.places.len()];
        let mut taken = 0;
        for fibre in order {
            let pair = self.places[fibre].1 as usize;
            if taken < wanted && left[pair] > 1 {
                left[pair] -= 1;
                out[fibre] = true;
                taken += 1;
            }
        }
        if taken == 0 {
            return Err(Error::TooFew {
                operation: "holding fibres out",
                what: "fibres per third index",
                found: 1,
                needed: 2,
            });
        }
        Ok((
            self.subset(|fibre| !out[fibre])?,
            self.subset(|fibre| out[fibre])?,
        ))
    }

    fn subset(&self, keep: impl Fn(usize) -> bool) -> Result<Self> {
        let length = self.dims[0];
        let chosen: Vec<usize> = (0..self.places.len())
            .filter(|&fibre| keep(fibre))
            .collect();
        let mut values = Vec::with_capacity(chosen.len() * length);
        for &fibre in &chosen {
            let span = fibre * length..(fibre + 1) * length;
            match &self.observed {
                None => values.extend_from_slice(&self.values[span]),
                Some(mask) => values.extend(
                    self.values[span.clone()]
                        .iter()
                        .zip(&mask[span])
                        .map(|(&value, &seen)| if seen > 0.0 { value } else { f32::NAN }),
                ),
            }
        }
        let places = chosen
            .iter()
            .map(|&fibre| (self.places[fibre].0 as usize, self.places[fibre].1 as usize))
            .collect();
        Self::from_fibres(self.dims, places, values)
    }

    pub(super) fn fibres(&self) -> usize {
        self.places.len()
    }

    pub(super) fn place(&self, fibre: usize) -> (usize, usize) {
        (self.places[fibre].0 as usize, self.places[fibre].1 as usize)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.observed.is_none()
    }

    /// Values times `factor` (first axis x columns): fibres x columns.
    pub(super) fn times_first(&self, factor: &[f32], columns: usize) -> Vec<f32> {
        times_first(&self.values, self.dims[0], factor, columns)
    }

    /// As [`Self::times_first`] with the mask in place of the values; empty where all is observed.
    pub(super) fn mask_times_first(&self, factor: &[f32], columns: usize) -> Vec<f32> {
        let multiply = |mask: &Vec<f32>| times_first(mask, self.dims[0], factor, columns);
        self.observed.as_ref().map(multiply).unwrap_or_default()
    }

    /// Values, transposed, times the rows that `fill(fibre, row)` writes: first axis x columns.
    pub(super) fn times_fibres(
        &self,
        columns: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Vec<f64> {
        times_fibres(&self.values, self.dims[0], columns, fill)
    }

    /// As [`Self::times_fibres`] with the mask in place of the values; empty where all is observed.
    pub(super) fn mask_times_fibres(
        &self,
        columns: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Vec<f64> {
        let multiply = |mask: &Vec<f32>| times_fibres(mask, self.dims[0], columns, fill);
        self.observed.as_ref().map(multiply).unwrap_or_default()
    }

    /// Hands `each` blocks of observed residuals (value minus model, 0 where missing; fibres x first
    /// axis) in parallel and returns what it made of them, in order. `coefficients(fibre, row)` writes
    /// the model's coefficients of a fibre on the columns of `factor` (first axis x rank).
    pub(super) fn residual_blocks<T: Send>(
        &self,
        factor: &[f32],
        rank: usize,
        coefficients: impl Fn(usize, &mut [f32]) + Sync,
        each: impl Fn(Range<usize>, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        let length = self.dims[0];
        (0..self.places.len().div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let range = block * BLOCK..((block + 1) * BLOCK).min(self.places.len());
                let mut rows = vec![0.0; range.len() * rank];
                for (row, fibre) in rows.chunks_mut(rank).zip(range.clone()) {
                    coefficients(fibre, row);
                }
                let span = range.start * length..range.end * length;
                let mut residual = self.values[span.clone()].to_vec();
                matmul(
                    MatMut::from_row_major_slice_mut(&mut residual, range.len(), length),
                    Accum::Add,
                    MatRef::from_row_major_slice(&rows, range.len(), rank),
                    MatRef::from_row_major_slice(factor, length, rank).transpose(),
                    -1.0,
                    Par::Seq,
                );
                if let Some(mask) = &self.observed {
                    residual
                        .iter_mut()
                        .zip(&mask[span])
                        .for_each(|(value, seen)| *value *= seen);
                }
                each(range, &residual)
            })
            .collect()
    }
}

/// `data` (fibres x length) times `factor` (length x columns).
fn times_first(data: &[f32], length: usize, factor: &[f32], columns: usize) -> Vec<f32> {
    let mut product = vec![0.0; data.len() / length * columns];
    product
        .par_chunks_mut(BLOCK * columns)
        .zip(data.par_chunks(BLOCK * length))
        .for_each(|(product, block)| {
            let rows = block.len() / length;
            matmul(
                MatMut::from_row_major_slice_mut(product, rows, columns),
                Accum::Replace,
                MatRef::from_row_major_slice(block, rows, length),
                MatRef::from_row_major_slice(factor, length, columns),
                1.0,
                Par::Seq,
            );
        });
    product
}

/// `data` (fibres x length), transposed, times rows written by `fill` (fibres x columns). Only a
/// block of those rows exists at a time.
fn times_fibres(
    data: &[f32],
    length: usize,
    columns: usize,
    fill: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f64> {
    let fibres = data.len() / length;
    let blocks = fibres.div_ceil(BLOCK);
    let partial: Vec<Vec<f32>> = (0..LANES)
        .into_par_iter()
        .map(|lane| {
            let mut sum = vec![0.0; length * columns];
            let mut rows = vec![0.0; BLOCK * columns];
            for block in (lane..blocks).step_by(LANES) {
                let range = block * BLOCK..((block + 1) * BLOCK).min(fibres);
                let rows = &mut rows[..range.len() * columns];
                for (row, fibre) in rows.chunks_mut(columns).zip(range.clone()) {
                    fill(fibre, row);
                }
                let values = &data[range.start * length..range.end * length];
                matmul(
                    MatMut::from_row_major_slice_mut(&mut sum, length, columns),
                    Accum::Add,
                    MatRef::from_row_major_slice(values, range.len(), length).transpose(),
                    MatRef::from_row_major_slice(rows, range.len(), columns),
                    1.0,
                    Par::Seq,
                );
            }
            sum
        })
        .collect();
    let mut total = vec![0.0; length * columns];
    for lane in partial {
        total
            .iter_mut()
            .zip(lane)
            .for_each(|(sum, value)| *sum += f64::from(value));
    }
    total
}
