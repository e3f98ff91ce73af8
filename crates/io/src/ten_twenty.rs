//! Where electrodes of the 10-20 and 10-10 systems are, by their names.
//!
//! The head is a sphere of 95 mm. Along the midline, electrodes stand 22.5° apart (Fpz 90° in front of
//! Cz, Iz 112.5° behind it); along the ring through Fpz, T7 and Oz, 18° apart. A row such as F runs
//! over the midline in a circle through its three known places (F7, Fz, F8), and its electrodes divide
//! each half into four. This puts every electrode within 6° of EasyCap's M1 layout. It stands for no one's
//! own head: where positions were measured, use those.
//!
//! Source: Oostenveld and Praamstra (2001), the five percent electrode system.

use chiasm_core::data::{CoordinateFrame, SensorPositions};

/// Radius of the sphere, in metres.
pub const HEAD_RADIUS: f64 = 0.095;

/// Rows over the midline: its name, the name of its ends, the inclination of its middle from Cz in
/// degrees (in front positive), and the azimuth of its ends from the front.
const ROWS: [(&str, &str, f64, f64); 7] = [
    ("AF", "AF", 67.5, 36.0),
    ("F", "F", 45.0, 54.0),
    ("FC", "FT", 22.5, 72.0),
    ("C", "T", 0.0, 90.0),
    ("CP", "TP", -22.5, 108.0),
    ("P", "P", -45.0, 126.0),
    ("PO", "PO", -67.5, 144.0),
];

/// The position of an electrode, in metres: x to the right, y to the front, z up. `None` for a name that
/// is not of the system, and for a difference of two electrodes.
///
/// Takes labels as recorders write them: `Fp1`, `EEG Fp1`, `EEG FP1-Ref`, `T3` for T7.
pub fn position(label: &str) -> Option<[f64; 3]> {
    let unit = on_unit_sphere(&electrode(label)?)?;
    Some(unit.map(|value| HEAD_RADIUS * value))
}

/// The positions of some channels; `None` where no label is of the system.
pub fn positions(labels: &[String]) -> Option<SensorPositions> {
    let places: Vec<Option<[f64; 3]>> = labels.iter().map(|label| position(label)).collect();
    if places.iter().all(Option::is_none) {
        return None;
    }
    SensorPositions::new(CoordinateFrame::Template, places).ok()
}

/// The electrode's own name in capitals, by its newer name.
fn electrode(label: &str) -> Option<String> {
    const REFERENCES: [&str; 9] = ["REF", "AVG", "AVE", "LE", "M1", "M2", "A1", "A2", "A1A2"];
    let upper = label.trim().to_ascii_uppercase();
    let bare = upper.strip_prefix("EEG").map_or(upper.as_str(), |rest| {
        rest.trim_start_matches([' ', ':', '-', '_'])
    });
    let bare = bare.trim_end_matches('.');
    let own = match bare.split_once('-') {
        Some((own, reference)) if REFERENCES.contains(&reference) => own,
        Some(_) => return None,
        None => bare,
    };
    Some(match own {
        "T3" => "T7".to_string(),
        "T4" => "T8".to_string(),
        "T5" => "P7".to_string(),
        "T6" => "P8".to_string(),
        other => other.to_string(),
    })
}

fn on_unit_sphere(name: &str) -> Option<[f64; 3]> {
    let digits = name.find(|c: char| c.is_ascii_digit());
    let (row, number) = name.split_at(digits.unwrap_or(name.len()));
    if number.is_empty() {
        let row = row.strip_suffix('Z')?;
        return match row {
            "FP" => Some(sphere(90.0, 0.0)),
            "O" => Some(sphere(90.0, 180.0)),
            "I" => Some(sphere(112.5, 180.0)),
            _ => ROWS.iter().find(|known| known.0 == row).map(middle),
        };
    }
    if number.starts_with('0') {
        return None;
    }
    let number: u32 = number.parse().ok().filter(|number| *number <= 10)?;
    // Odd numbers are on the left; the pairs 1 and 2, 3 and 4 … are as far out.
    let left = number % 2 == 1;
    let pair = number.div_ceil(2);
    let side = if left { 1.0 } else { -1.0 };
    match (row, pair) {
        ("FP", 1) => return Some(sphere(90.0, 18.0 * side)),
        ("O", 1) => return Some(sphere(90.0, 162.0 * side)),
        _ => {}
    }
    let known = ROWS.iter().find(|known| match pair {
        1..=3 => known.0 == row,
        _ => known.1 == row,
    })?;
    match pair {
        5 => Some(sphere(112.5, known.3 * side)),
        4 => Some(sphere(90.0, known.3 * side)),
        _ => Some(along(known, f64::from(pair) / 4.0, side)),
    }
}

/// By inclination from Cz and azimuth from the front, to the left positive, in degrees.
fn sphere(inclination: f64, azimuth: f64) -> [f64; 3] {
    let (inclination, azimuth) = (inclination.to_radians(), azimuth.to_radians());
    [
        -inclination.sin() * azimuth.sin(),
        inclination.sin() * azimuth.cos(),
        inclination.cos(),
    ]
}

fn middle(row: &(&str, &str, f64, f64)) -> [f64; 3] {
    sphere(row.2.abs(), if row.2 < 0.0 { 180.0 } else { 0.0 })
}

/// At a fraction of the way from a row's middle to its end, on the circle through its middle and ends.
fn along(row: &(&str, &str, f64, f64), fraction: f64, side: f64) -> [f64; 3] {
    let middle = middle(row);
    let (end, other) = (sphere(90.0, row.3 * side), sphere(90.0, -row.3 * side));
    let normal = cross(minus(end, middle), minus(other, middle));
    let normal = times(normal, 1.0 / dot(normal, normal).sqrt());
    let centre = times(normal, dot(normal, middle));
    let start = minus(middle, centre);
    let finish = minus(end, centre);
    let squared = dot(start, start);
    let angle = fraction * (dot(start, finish) / squared).clamp(-1.0, 1.0).acos();
    let across = minus(finish, times(start, dot(start, finish) / squared));
    let across = times(across, (squared / dot(across, across)).sqrt());
    let (sin, cos) = angle.sin_cos();
    [0, 1, 2].map(|axis| centre[axis] + cos * start[axis] + sin * across[axis])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn times(a: [f64; 3], factor: f64) -> [f64; 3] {
    a.map(|value| factor * value)
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_recorders_write_them() {
        for (label, same) in [
            ("EEG Fp1", "Fp1"),
            ("EEG FP1-Ref", "Fp1"),
            ("T3", "T7"),
            ("Cz..", "CZ"),
            ("EEG T6-A1", "P8"),
        ] {
            assert!(position(label).is_some(), "{label}");
            assert_eq!(position(label), position(same), "{label}");
        }
        for stranger in [
            "EEG Fpz-Cz",
            "EOG",
            "",
            "M1",
            "A2",
            "Status",
            "F",
            "F0",
            "F11",
            "F03",
            "T1",
            "Z",
            "FP3",
            "C9x",
        ] {
            assert_eq!(position(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn both_sides_mirror_each_other_on_the_sphere() {
        for (left, right) in [("F3", "F4"), ("FC5", "FC6"), ("TP9", "TP10"), ("O1", "O2")] {
            let (left, right) = (position(left).unwrap(), position(right).unwrap());
            assert!((left[0] + right[0]).abs() < 1e-12 && left[0] < 0.0);
            assert!((left[1] - right[1]).abs() < 1e-12 && (left[2] - right[2]).abs() < 1e-12);
            assert!((dot(left, left).sqrt() - HEAD_RADIUS).abs() < 1e-12);
        }
        let labels = ["Cz", "ECG"].map(String::from);
        let found = positions(&labels).unwrap();
        assert_eq!(found.frame(), CoordinateFrame::Template);
        assert_eq!(found.known(), 1);
        assert!(positions(&labels[1..]).is_none());
    }

    #[test]
    fn places_are_those_of_an_easycap() {
        // Inclination and azimuth in degrees of EasyCap's M1 layout, as MNE has it.
        for (name, inclination, azimuth) in [
            ("Fp1", 92.0, 18.0),
            ("F7", 92.0, 54.0),
            ("F3", 60.0, 39.0),
            ("Fz", 46.0, 0.0),
            ("C3", 46.0, 90.0),
            ("CP5", 72.0, 110.0),
            ("P4", 60.0, -141.0),
            ("Oz", 92.0, 180.0),
            ("TP10", 115.0, -108.0),
            ("Iz", 115.0, 180.0),
        ] {
            let found = on_unit_sphere(&name.to_uppercase()).unwrap();
            let angle = dot(found, sphere(inclination, azimuth))
                .clamp(-1.0, 1.0)
                .acos();
            assert!(angle.to_degrees() < 6.0, "{name}: {}", angle.to_degrees());
        }
    }
}
