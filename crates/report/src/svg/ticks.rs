//! Where an axis has its ticks and what stands beside them.

use crate::number::{Shared, magnitude, superscript};

/// The ticks of an axis, and the domain widened to the outermost ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) domain: [f64; 2],
    pub(crate) values: Vec<f64>,
    pub(crate) labels: Vec<String>,
    /// Ticks without label between those with one.
    pub(crate) minor: Vec<f64>,
}

/// Ticks for a domain of either kind, `about` as many as asked for.
pub(crate) fn ticks(domain: [f64; 2], logarithmic: bool, about: usize) -> Ticks {
    if logarithmic {
        logarithmic_ticks(domain, about)
    } else {
        linear_ticks(domain, about)
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks([low, high]: [f64; 2], about: usize) -> Ticks {
    // Counts here are small, so the conversion is exact.
    let parts = about.max(1) as f64;
    let wanted = high / parts - low / parts;
    let power = magnitude(wanted);
    // The nearest of 1, 2, 5 and 10 by ratio.
    let (digit, power) = match wanted / power_of_ten(power) {
        ratio if ratio < std::f64::consts::SQRT_2 => (1.0, power),
        ratio if ratio < 10f64.sqrt() => (2.0, power),
        ratio if ratio < 50f64.sqrt() => (5.0, power),
        _ => (1.0, power + 1),
    };
    // Below one, divide by a whole power of ten: multiples come out as they are written.
    let multiple = |count: f64| {
        if (-300..0).contains(&power) {
            count * digit / power_of_ten(-power)
        } else {
            count * digit * power_of_ten(power)
        }
    };
    let step = digit * power_of_ten(power);
    if !step.is_normal() {
        return ends_only([low, high]);
    }
    let first = (low / step * (1.0 + 1e-12 * low.signum()) + 1e-9).floor();
    let last = (high / step - 1e-9).ceil();
    let mut values = Vec::new();
    let mut count = first;
    while count <= last && values.len() <= 4 * about + 8 {
        let value = multiple(count).clamp(f64::MIN, f64::MAX);
        values.push(if value == 0.0 { 0.0 } else { value });
        count += 1.0;
    }
    let domain = [
        values.first().map_or(low, |&value| value.min(low)),
        values.last().map_or(high, |&value| value.max(high)),
    ];
    let largest = domain[0].abs().max(domain[1].abs());
    let format = Shared::with_last_digit(magnitude(largest), power);
    let labels = values.iter().map(|&value| format.write(value)).collect();
    Ticks {
        domain,
        values,
        labels,
        minor: Vec::new(),
    }
}

/// Powers of ten; over two decades or less also their double and fivefold.
fn logarithmic_ticks([low, high]: [f64; 2], about: usize) -> Ticks {
    let (first, last) = (magnitude(low), magnitude(high));
    let decades = last - first + 1;
    let digits: &[f64] = if high / low <= 150.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let candidates: Vec<f64> = (first..=last + 1)
        .flat_map(|power| digits.iter().map(move |digit| digit * power_of_ten(power)))
        .filter(|value| *value > 0.0 && value.is_finite())
        .collect();
    let start = candidates
        .iter()
        .copied()
        .rfind(|&value| value <= low * (1.0 + 1e-9))
        .map_or(low, |value| value.min(low));
    let end = candidates
        .iter()
        .copied()
        .find(|&value| value >= high * (1.0 - 1e-9))
        .map_or(high, |value| value.max(high));
    let mut values: Vec<f64> = candidates
        .into_iter()
        .filter(|value| (start..=end).contains(value))
        .collect();
    let mut minor = Vec::new();
    if digits.len() == 1 {
        let stride = values.len().div_ceil(about + 2).max(1);
        let (kept, skipped): (Vec<_>, Vec<_>) = values
            .into_iter()
            .enumerate()
            .partition(|(index, _)| index % stride == 0);
        values = kept.into_iter().map(|(_, value)| value).collect();
        minor = skipped.into_iter().map(|(_, value)| value).collect();
        if decades <= 6 {
            minor.extend((first..=last).flat_map(|power| {
                (2..=9).map(move |digit| f64::from(digit) * power_of_ten(power))
            }));
            minor.retain(|value| (start..=end).contains(value));
        }
    }
    if values.is_empty() {
        return ends_only([start, end]);
    }
    let plain = start >= 0.999e-3 && end <= 1.001e4;
    let labels = values
        .iter()
        .map(|&value| logarithmic_label(value, plain))
        .collect();
    Ticks {
        domain: [start, end],
        values,
        labels,
        minor,
    }
}

fn logarithmic_label(value: f64, plain: bool) -> String {
    let power = magnitude(value);
    if plain {
        return Shared::Fixed(usize::try_from(-power).unwrap_or(0)).write(value);
    }
    let raised = superscript(&power.to_string());
    // The digit is 1, 2 or 5.
    match (value / power_of_ten(power)).round() {
        1.0 => format!("10{raised}"),
        digit => format!("{digit}×10{raised}"),
    }
}

/// Where no round number fits: the two ends.
fn ends_only(domain: [f64; 2]) -> Ticks {
    let format = Shared::for_values(&domain);
    Ticks {
        domain,
        values: domain.to_vec(),
        labels: domain.iter().map(|&value| format.write(value)).collect(),
        minor: Vec::new(),
    }
}

/// Exactly the number that is written so, which repeated products are not.
fn power_of_ten(power: i32) -> f64 {
    format!("1e{power}").parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(domain: [f64; 2], logarithmic: bool) -> Vec<String> {
        ticks(domain, logarithmic, 5).labels
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(
            labels([0.0, 1.0], false),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels([-0.13, 0.31], false),
            ["−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3", "0.4"]
        );
        assert_eq!(
            labels([3.0, 97.0], false),
            ["0", "20", "40", "60", "80", "100"]
        );
        assert_eq!(ticks([0.0, 0.3], false, 3).values, [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(
            labels([0.0, 4e6], false),
            ["0", "1 × 10⁶", "2 × 10⁶", "3 × 10⁶", "4 × 10⁶"]
        );
    }

    #[test]
    fn logarithmic_ticks_are_decades_or_finer() {
        assert_eq!(
            labels([0.02, 300.0], true),
            ["0.01", "0.1", "1", "10", "100", "1000"]
        );
        assert_eq!(labels([3.0, 40.0], true), ["2", "5", "10", "20", "50"]);
        assert_eq!(
            labels([1e-9, 1e-5], true),
            ["10⁻⁹", "10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵"]
        );
        let many = ticks([1e-30, 1e30], true, 5);
        assert!(many.values.len() <= 8, "{:?}", many.labels);
    }

    #[test]
    fn extreme_domains_have_few_finite_ticks() {
        for domain in [
            [f64::MIN, f64::MAX],
            [0.0, f64::MAX],
            [-1.0, 1.0 + 1e-6],
            [1e15, 1e15 + 1e9],
            [-5e-300, 5e-300],
            [1e-310, 2e-309],
        ] {
            let found = ticks(domain, false, 5);
            assert!(
                (2..30).contains(&found.values.len()),
                "{domain:?} {found:?}"
            );
            assert!(found.values.iter().all(|value| value.is_finite()));
            assert!(found.domain[0] <= domain[0] && found.domain[1] >= domain[1]);
        }
        for domain in [[5e-324, f64::MAX], [1e308, f64::MAX], [5e-324, 1e-323]] {
            let found = ticks(domain, true, 5);
            assert!(!found.values.is_empty() && found.values.len() < 30);
            assert!(
                found
                    .values
                    .iter()
                    .all(|value| *value > 0.0 && value.is_finite())
            );
        }
    }
}
