//! Colours for the values of a matrix, readable with every kind of colour vision and on light and
//! dark ground alike.

use base64::Engine;

/// A map from 0..=1 to colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colormap {
    /// From dark blue to yellow, for amounts. Lightness rises evenly.
    Sequential,
    /// From blue over near-white to brown, for values on both sides of zero.
    Diverging,
}

/// Even steps along each map; colours between them are mixed.
const SEQUENTIAL: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];
const DIVERGING: [[u8; 3]; 9] = [
    [8, 48, 107],
    [27, 98, 165],
    [84, 152, 203],
    [166, 205, 230],
    [244, 243, 240],
    [244, 199, 160],
    [222, 137, 72],
    [176, 80, 25],
    [105, 38, 5],
];

impl Colormap {
    /// The colour of a fraction of the range.
    pub(crate) fn colour(self, fraction: f64) -> [u8; 3] {
        let steps = match self {
            Colormap::Sequential => &SEQUENTIAL,
            Colormap::Diverging => &DIVERGING,
        };
        let place = fraction.clamp(0.0, 1.0) * 8.0;
        // Within 0..=7 after the clamp.
        let index = (place.floor() as usize).min(7);
        let weight = place - index as f64;
        std::array::from_fn(|channel| {
            let (from, to) = (steps[index][channel], steps[index + 1][channel]);
            let mixed = f64::from(from) * (1.0 - weight) + f64::from(to) * weight;
            // Between two bytes.
            mixed.round() as u8
        })
    }
}

/// The map and the range of values it spans: symmetric about zero where values lie on both sides.
pub(crate) fn colours_for(low: f64, high: f64) -> (Colormap, [f64; 2]) {
    if low < 0.0 && high > 0.0 {
        let most = high.max(-low);
        (Colormap::Diverging, [-most, most])
    } else {
        (Colormap::Sequential, [low, high])
    }
}

/// Where `value` lies in a range, in 0..=1; the middle where the range is a point.
pub(crate) fn fraction(value: f64, [low, high]: [f64; 2]) -> f64 {
    let fraction = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    if fraction.is_finite() {
        fraction.clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// Relative luminance as WCAG defines it.
pub(crate) fn luminance(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// Most pixels that a picture of a matrix has in one direction.
const MOST_PIXELS: usize = 1600;

/// A matrix of fractions as a PNG in a `data:` address. Small matrices are enlarged by whole
/// factors, so that viewers that smooth pictures still show sharp cells; in matrices beyond 1600
/// rows or columns, neighbours are averaged.
pub(crate) fn picture(
    rows: usize,
    columns: usize,
    fraction: &dyn Fn(usize, usize) -> f64,
    map: Colormap,
) -> Option<String> {
    let palette: Vec<u8> = (0..=255u8)
        .flat_map(|level| map.colour(f64::from(level) / 255.0))
        .collect();
    let layout = |count: usize| (count.div_ceil(MOST_PIXELS), (480 / count.max(1)).max(1));
    let ((row_bin, row_repeat), (column_bin, column_repeat)) = (layout(rows), layout(columns));
    let mut pixels = Vec::new();
    for top in (0..rows).step_by(row_bin) {
        let mut line = Vec::new();
        for left in (0..columns).step_by(column_bin) {
            let (bottom, right) = ((top + row_bin).min(rows), (left + column_bin).min(columns));
            let mut sum = 0.0;
            for row in top..bottom {
                for column in left..right {
                    sum += fraction(row, column);
                }
            }
            let mean = sum / ((bottom - top) * (right - left)) as f64;
            // A fraction times 255 is a byte.
            let level = (mean * 255.0).round() as u8;
            line.extend(std::iter::repeat_n(level, column_repeat));
        }
        for _ in 0..row_repeat {
            pixels.extend_from_slice(&line);
        }
    }
    let width = u32::try_from(columns.div_ceil(column_bin) * column_repeat).ok()?;
    let height = u32::try_from(rows.div_ceil(row_bin) * row_repeat).ok()?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
    Some(format!("data:image/png;base64,{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lightness_rises_along_amounts_and_falls_away_from_zero() {
        let along = |map: Colormap, from: f64, to: f64| -> Vec<f64> {
            (0..=20)
                .map(|step| luminance(map.colour(from + (to - from) * f64::from(step) / 20.0)))
                .collect()
        };
        for rising in [
            along(Colormap::Sequential, 0.0, 1.0),
            along(Colormap::Diverging, 0.0, 0.5),
            along(Colormap::Diverging, 1.0, 0.5),
        ] {
            assert!(
                rising.windows(2).all(|pair| pair[0] < pair[1]),
                "{rising:?}"
            );
        }
    }

    #[test]
    fn zero_is_in_the_middle_of_a_two_sided_range() {
        assert_eq!(colours_for(-1.0, 4.0), (Colormap::Diverging, [-4.0, 4.0]));
        assert_eq!(colours_for(0.0, 4.0), (Colormap::Sequential, [0.0, 4.0]));
        assert_eq!(fraction(0.0, [-4.0, 4.0]), 0.5);
        assert_eq!(fraction(3.0, [3.0, 3.0]), 0.5);
    }

    #[test]
    fn a_picture_has_the_pixels_of_its_matrix() {
        let values = [[0.0, 1.0], [0.5, 0.0]];
        let picture = picture(
            2,
            2,
            &|row, column| values[row][column],
            Colormap::Sequential,
        )
        .unwrap();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(picture.strip_prefix("data:image/png;base64,").unwrap())
            .unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (480, 480));
        let at = |row: usize, column: usize| &pixels[(row * 480 + column) * 3..][..3];
        assert_eq!(at(10, 10), [68, 1, 84]);
        assert_eq!(at(10, 400), [253, 231, 37]);
        assert_eq!(at(400, 400), [68, 1, 84]);
    }
}
