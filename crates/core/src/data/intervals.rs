//! Sets of time intervals.

use crate::error::{Error, Result};

/// Half-open intervals `[start, stop)` in seconds, sorted and merged: the time a recording covers,
/// or the trials of an experiment taken together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intervals {
    bounds: Vec<(f64, f64)>,
}

impl Intervals {
    /// From bounds in any order; overlapping ones are merged, empty ones are refused.
    pub fn new(mut bounds: Vec<(f64, f64)>) -> Result<Self> {
        for &(start, stop) in &bounds {
            if !start.is_finite() || !stop.is_finite() || stop <= start {
                return Err(Error::setting(
                    "interval",
                    format!("[{start}, {stop})"),
                    "finite bounds with stop after start",
                ));
            }
        }
        bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(bounds.len());
        for (start, stop) in bounds {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(stop),
                _ => merged.push((start, stop)),
            }
        }
        Ok(Intervals { bounds: merged })
    }

    /// The bounds, sorted, disjoint.
    pub fn bounds(&self) -> &[(f64, f64)] {
        &self.bounds
    }

    /// The summed length in seconds.
    pub fn seconds(&self) -> f64 {
        self.bounds.iter().map(|(start, stop)| stop - start).sum()
    }

    /// Whether time `t` lies inside.
    pub fn contains(&self, t: f64) -> bool {
        let after = self.bounds.partition_point(|&(start, _)| start <= t);
        after > 0 && t < self.bounds[after - 1].1
    }

    /// The times inside both sets.
    pub fn intersect(&self, other: &Intervals) -> Intervals {
        let (mut i, mut j) = (0, 0);
        let mut bounds = Vec::new();
        while i < self.bounds.len() && j < other.bounds.len() {
            let start = self.bounds[i].0.max(other.bounds[j].0);
            let stop = self.bounds[i].1.min(other.bounds[j].1);
            if start < stop {
                bounds.push((start, stop));
            }
            if self.bounds[i].1 < other.bounds[j].1 {
                i += 1
            } else {
                j += 1
            }
        }
        Intervals { bounds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_containing_and_intersecting() {
        let a = Intervals::new(vec![(5.0, 6.0), (0.0, 2.0), (1.0, 3.0)]).unwrap();
        assert_eq!(a.bounds(), &[(0.0, 3.0), (5.0, 6.0)]);
        assert_eq!(a.seconds(), 4.0);
        assert!(a.contains(0.0) && a.contains(2.9) && !a.contains(3.0) && !a.contains(-0.1));
        let b = Intervals::new(vec![(2.0, 5.5)]).unwrap();
        assert_eq!(a.intersect(&b).bounds(), &[(2.0, 3.0), (5.0, 5.5)]);
        assert!(Intervals::new(vec![(1.0, 1.0)]).is_err());
    }
}
