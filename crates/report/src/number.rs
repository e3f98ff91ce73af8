//! Numbers as a reader wants them: three significant digits, a true minus sign, powers of ten for
//! extremes.

/// A number with three significant digits. Whole numbers below a million stay whole; beyond that,
/// and below a ten-thousandth, a power of ten is split off.
///
/// ```
/// # use chiasm_report::format_number;
/// assert_eq!(format_number(-0.12345), "−0.123");
/// assert_eq!(format_number(1234.6), "1235");
/// assert_eq!(format_number(0.0000123), "1.23 × 10⁻⁵");
/// ```
pub fn format_number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let magnitude = magnitude(value);
    if value.fract() == 0.0 && value.abs() < 1e6 {
        return fixed(value, 0);
    }
    if is_extreme(magnitude) {
        return scientific(value, 2);
    }
    fixed(value, usize::try_from(2 - magnitude).unwrap_or(0))
}

/// `1 study`, `2 studies`.
pub(crate) fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// A number that was set rather than measured, with all its digits: `0.02`, not `0.0200`.
pub(crate) fn format_exact(value: f64) -> String {
    if value != 0.0 && is_extreme(magnitude(value)) {
        let digits = format!("{value:e}")
            .split('e')
            .next()
            .map_or(0, |mantissa| {
                mantissa
                    .split_once('.')
                    .map_or(0, |(_, decimals)| decimals.len())
            });
        return scientific(value, digits);
    }
    with_true_minus(value.to_string())
}

/// A mean with its interval, all with the same decimals, enough of them to show the interval's
/// width to two digits: `0.953 [0.941, 0.965]`. Without an interval only the mean.
pub fn format_interval(mean: f64, interval: Option<[f64; 2]>) -> String {
    let Some([low, high]) = interval else {
        return format_number(mean);
    };
    let format = Shared::for_values(&[mean, low, high]);
    format!(
        "{} {}",
        format.write(mean),
        format_bounds(&format, [low, high])
    )
}

/// The interval alone, with the decimals that [`format_interval`] would give it.
pub(crate) fn format_interval_bounds(mean: f64, interval: [f64; 2]) -> String {
    let format = Shared::for_values(&[mean, interval[0], interval[1]]);
    format_bounds(&format, interval)
}

/// The mean with the decimals that [`format_interval`] would give it.
pub(crate) fn format_mean(mean: f64, interval: Option<[f64; 2]>) -> String {
    match interval {
        Some([low, high]) => Shared::for_values(&[mean, low, high]).write(mean),
        None => format_number(mean),
    }
}

fn format_bounds(format: &Shared, [low, high]: [f64; 2]) -> String {
    format!("[{}, {}]", format.write(low), format.write(high))
}

/// One way of writing for numbers that are read side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    Fixed(usize),
    Scientific(usize),
}

impl Shared {
    /// Shows every value to three digits of the largest one, and their spread to two.
    pub(crate) fn for_values(values: &[f64]) -> Self {
        let largest = values
            .iter()
            .fold(0.0f64, |most, value| most.max(value.abs()));
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Halved first, so that the two ends of the number range do not overflow.
        let spread = high / 2.0 - low / 2.0;
        if largest == 0.0 || !largest.is_finite() {
            return Shared::Fixed(0);
        }
        let top = magnitude(largest);
        let finest = if spread > 0.0 {
            magnitude(spread * 1.000_001) - 1
        } else {
            top - 2
        };
        let digits = (top - finest.min(top - 2)).clamp(2, 8);
        Self::with_last_digit(top, top - digits)
    }

    /// Writes values up to `10^top` with the last digit at `10^last`.
    pub(crate) fn with_last_digit(top: i32, last: i32) -> Self {
        if is_extreme(top) {
            Shared::Scientific(usize::try_from(top - last).unwrap_or(0))
        } else {
            Shared::Fixed(usize::try_from(-last).unwrap_or(0))
        }
    }

    pub(crate) fn write(self, value: f64) -> String {
        match self {
            Shared::Fixed(decimals) => fixed(value, decimals),
            Shared::Scientific(decimals) => scientific(value, decimals),
        }
    }
}

/// The power of ten of the first digit.
pub(crate) fn magnitude(value: f64) -> i32 {
    // Through the printed form: exact where a logarithm would be off by one, also for the smallest
    // numbers there are.
    let printed = format!("{:e}", value.abs());
    printed
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0)
}

fn is_extreme(magnitude: i32) -> bool {
    !(-4..6).contains(&magnitude)
}

fn fixed(value: f64, decimals: usize) -> String {
    with_true_minus(format!("{value:.decimals$}"))
}

fn scientific(value: f64, decimals: usize) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let printed = format!("{value:.decimals$e}");
    match printed.split_once('e') {
        Some((mantissa, exponent)) => {
            let mantissa = if mantissa.contains('.') {
                mantissa.trim_end_matches('0').trim_end_matches('.')
            } else {
                mantissa
            };
            with_true_minus(format!("{mantissa} × 10{}", superscript(exponent)))
        }
        // Not finite: shown as it is.
        None => printed,
    }
}

fn with_true_minus(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_string(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A power in raised digits.
pub(crate) fn superscript(digits: &str) -> String {
    digits
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            '9' => '⁹',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_a_true_minus_and_powers_for_extremes() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (3.0, "3"),
            (12345.0, "12345"),
            (-7.0, "−7"),
            (0.5, "0.500"),
            (0.12345, "0.123"),
            (-0.000999, "−0.000999"),
            (99.96, "100.0"),
            (123.456, "123"),
            (123456.7, "123457"),
            (1234567.0, "1.23 × 10⁶"),
            (-1e-300, "−1 × 10⁻³⁰⁰"),
            (5e-324, "4.94 × 10⁻³²⁴"),
            (f64::MAX, "1.8 × 10³⁰⁸"),
        ] {
            assert_eq!(format_number(value), expected, "{value:e}");
        }
    }

    #[test]
    fn numbers_that_were_set_keep_their_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.02, "0.02"),
            (-1.0, "−1"),
            (0.123456, "0.123456"),
            (2.5e-7, "2.5 × 10⁻⁷"),
            (3e9, "3 × 10⁹"),
        ] {
            assert_eq!(format_exact(value), expected);
        }
    }

    #[test]
    fn an_interval_shares_its_decimals_and_shows_its_width() {
        for (mean, interval, expected) in [
            (0.95321, [0.94111, 0.96531], "0.953 [0.941, 0.965]"),
            (1000.2, [1000.1, 1000.3], "1000.20 [1000.10, 1000.30]"),
            (-0.001, [-0.02, 0.018], "−0.0010 [−0.0200, 0.0180]"),
            (0.0, [0.0, 0.0], "0 [0, 0]"),
            (2.0, [2.0, 2.0], "2.00 [2.00, 2.00]"),
            (1e7, [0.9e7, 1.1e7], "1 × 10⁷ [9 × 10⁶, 1.1 × 10⁷]"),
        ] {
            assert_eq!(format_interval(mean, Some(interval)), expected);
        }
        assert_eq!(format_interval(0.25, None), "0.250");
    }
}
