//! From numbers to places on the sheet.

/// The smallest and largest of `values`; on a logarithmic axis only positive ones count. A domain
/// without extent is widened, so that a scale can be made of it.
pub(crate) fn domain(values: impl IntoIterator<Item = f64>, logarithmic: bool) -> Option<[f64; 2]> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        if value.is_finite() && (!logarithmic || value > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
    }
    if low > high {
        return None;
    }
    Some(if logarithmic {
        if high / low < 1.1 {
            // The smallest number there is has nothing positive below it.
            [
                (low / 1.5).max(f64::from_bits(1)),
                (high * 1.5).min(f64::MAX),
            ]
        } else {
            [low, high]
        }
    } else {
        widened(low, high)
    })
}

/// Widens what is narrower than can be told apart in a label.
fn widened(low: f64, high: f64) -> [f64; 2] {
    let largest = low.abs().max(high.abs());
    if largest < 1e-300 {
        return [low.min(0.0) - 1.0, high.max(0.0) + 1.0];
    }
    if high / 2.0 - low / 2.0 > largest * 1e-7 {
        return [low, high];
    }
    let margin = largest * 0.1;
    [(low - margin).max(f64::MIN), (high + margin).min(f64::MAX)]
}

/// A linear or logarithmic scale from a domain to a range of places. What lies outside of the
/// domain is drawn at its edge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    domain: [f64; 2],
    range: [f64; 2],
    logarithmic: bool,
}

impl Scale {
    pub(crate) fn new(domain: [f64; 2], range: [f64; 2], logarithmic: bool) -> Self {
        Scale {
            domain,
            range,
            logarithmic,
        }
    }

    pub(crate) fn domain(&self) -> [f64; 2] {
        self.domain
    }

    /// Where `value` lies.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let [low, high] = self.domain;
        let fraction = if self.logarithmic {
            let start = low.log10();
            (value.max(low).log10() - start) / (high.log10() - start)
        } else {
            // Halved first, so that the two ends of the number range do not overflow.
            (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
        };
        let fraction = if fraction.is_finite() {
            fraction.clamp(0.0, 1.0)
        } else {
            0.5
        };
        self.range[0] + fraction * (self.range[1] - self.range[0])
    }

    /// Whether `value` lies inside of the domain.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.domain[0]..=self.domain[1]).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_linear_or_logarithmic_and_stay_inside() {
        let linear = Scale::new([-1.0, 1.0], [100.0, 0.0], false);
        assert_eq!(linear.place(-1.0), 100.0);
        assert_eq!(linear.place(0.5), 25.0);
        assert_eq!(linear.place(9.0), 0.0);
        let log = Scale::new([0.01, 100.0], [0.0, 4.0], true);
        assert!((log.place(10.0) - 3.0).abs() < 1e-12);
        assert_eq!(log.place(-3.0), 0.0);
        let whole = Scale::new([f64::MIN, f64::MAX], [0.0, 1.0], false);
        assert_eq!(whole.place(0.0), 0.5);
    }

    #[test]
    fn a_domain_always_has_an_extent() {
        assert_eq!(domain([], false), None);
        assert_eq!(domain([-1.0, 0.0], true), None);
        assert_eq!(domain([f64::NAN, 1.0, 3.0], false), Some([1.0, 3.0]));
        for value in [0.0, 5e-324, 1.0, -1e-5, f64::MAX, f64::MIN] {
            let [low, high] = domain([value], false).unwrap();
            assert!(low < high && low <= value && value <= high, "{value:e}");
            assert!(low.is_finite() && high.is_finite());
        }
        for value in [5e-324, 1.0, f64::MAX] {
            let [low, high] = domain([value], true).unwrap();
            assert!(0.0 < low && low < high && high.is_finite(), "{value:e}");
        }
    }
}
