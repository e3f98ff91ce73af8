use chiasm_core::Seed;
use chiasm_memory::Sdr;
use chiasm_memory::encoders::{
    CategoryEncoder, DateEncoder, DateTime, ScalarEncoder, ScalarRange, concatenate,
};
use proptest::prelude::*;

const LINE: ScalarRange = ScalarRange {
    low: -10.0,
    high: 40.0,
    circular: false,
};
const CIRCLE: ScalarRange = ScalarRange {
    low: 0.0,
    high: 24.0,
    circular: true,
};

proptest! {
    #[test]
    fn numbers_share_cells_by_how_near_they_are(x in -10.0..40.0f64, y in -10.0..40.0f64) {
        let encoder = ScalarEncoder::new(LINE, 120, 20).unwrap();
        let [a, b] = [x, y].map(|value| encoder.encode(value).unwrap());
        prop_assert_eq!((a.len(), a.cells()), (20, 120));
        // A step is 50 / 100; rounding moves each code by up to half a step.
        let steps = (x - y).abs() / 0.5;
        let overlap = a.overlap(&b).unwrap() as f64;
        prop_assert!((overlap - (20.0 - steps).max(0.0)).abs() <= 1.0);
    }

    #[test]
    fn circles_close(x in -50.0..50.0f64, y in 0.0..24.0f64) {
        let encoder = ScalarEncoder::new(CIRCLE, 240, 21).unwrap();
        let [a, b, again] = [x, y, x + 24.0].map(|value| encoder.encode(value).unwrap());
        prop_assert_eq!(a.len(), 21);
        prop_assert!(a.overlap(&again).unwrap() >= 20);
        let apart = (x - y).rem_euclid(24.0);
        let steps = apart.min(24.0 - apart) / 0.1;
        let overlap = a.overlap(&b).unwrap() as f64;
        prop_assert!((overlap - (21.0 - steps).max(0.0)).abs() <= 1.0);
    }
}

#[test]
fn the_ends_of_a_line_hold_what_lies_beyond() {
    let encoder = ScalarEncoder::new(LINE, 120, 20).unwrap();
    assert_eq!(
        encoder.encode(-1e9).unwrap(),
        encoder.encode(-10.0).unwrap()
    );
    assert_eq!(
        encoder.encode(1e9).unwrap().active(),
        (100..120).collect::<Vec<u32>>()
    );
    assert!(encoder.encode(f64::NAN).is_err() && encoder.encode(f64::INFINITY).is_err());
    assert!(ScalarEncoder::new(LINE, 20, 20).is_err() && ScalarEncoder::new(LINE, 20, 0).is_err());
    assert!(
        ScalarEncoder::new(
            ScalarRange {
                low: 1.0,
                high: 1.0,
                circular: true
            },
            20,
            5
        )
        .is_err()
    );
    let wide = ScalarRange {
        low: -f64::MAX,
        high: f64::MAX,
        circular: false,
    };
    assert!(ScalarEncoder::new(wide, 20, 5).is_err());
}

#[test]
fn categories_share_nothing() {
    let names = ["red", "green", "blue"];
    let encoder = CategoryEncoder::new(&names, 7).unwrap();
    let codes = names.map(|name| encoder.encode(name).unwrap());
    assert_eq!(encoder.cells(), 21);
    assert_eq!(Sdr::union(&codes).unwrap().len(), 21);
    assert!(
        encoder
            .encode("pink")
            .unwrap_err()
            .to_string()
            .contains("blue, green, red")
    );
    assert!(CategoryEncoder::new(&["a", "a"], 3).is_err());
    assert!(CategoryEncoder::new(&[], 3).is_err() && CategoryEncoder::new(&["a"], 0).is_err());
    assert!(CategoryEncoder::new(&["a", "b"], usize::MAX).is_err());
}

#[test]
fn weekdays_and_days_of_the_year_are_the_calendars() {
    let date = |year, month, day| DateTime {
        year,
        month,
        day,
        hour: 0.0,
    };
    // Mondays are 0: known dates across leap and century years.
    for (moment, weekday) in [
        (date(1969, 7, 20), 6),
        (date(2000, 1, 1), 5),
        (date(2000, 2, 29), 1),
        (date(1900, 3, 1), 3),
        (date(2024, 12, 31), 1),
        (date(1600, 2, 29), 1),
        (date(1, 1, 1), 0),
        (date(0, 12, 31), 6),
    ] {
        assert_eq!(moment.weekday(), weekday, "{moment:?}");
    }
    assert_eq!(date(2023, 12, 31).day_of_year(), 364.0);
    assert_eq!(
        DateTime {
            hour: 12.0,
            ..date(2024, 3, 1)
        }
        .day_of_year(),
        60.5
    );
    for wrong in [
        date(2023, 2, 29),
        date(1900, 2, 29),
        date(2020, 4, 31),
        date(2020, 13, 1),
        date(2020, 0, 1),
        date(2020, 1, 0),
    ] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
    assert!(
        DateTime {
            hour: 24.0,
            ..date(2020, 1, 1)
        }
        .check()
        .is_err()
    );
    assert!(
        DateTime {
            hour: f64::NAN,
            ..date(2020, 1, 1)
        }
        .check()
        .is_err()
    );
}

#[test]
fn moments_are_alike_by_season_weekday_and_hour() {
    let encoder = DateEncoder::new(21, 4.0).unwrap();
    let code = |year, month, day, hour| {
        encoder
            .encode(&DateTime {
                year,
                month,
                day,
                hour,
            })
            .unwrap()
    };
    let base = code(2024, 6, 12, 9.0); // a Wednesday
    assert_eq!((base.len(), base.cells()), (84, encoder.cells()));
    let shared = |other: &Sdr| base.overlap(other).unwrap();
    let week_later = shared(&code(2024, 6, 19, 9.0));
    assert!(
        (80..84).contains(&week_later),
        "{week_later}: the season has moved a little"
    );
    // Four hours later no cell of the time is shared; the season may round to its next cell.
    assert!((62..=63).contains(&shared(&code(2024, 6, 12, 13.0))));
    // A Saturday: neither the weekday nor the weekend.
    assert!(shared(&code(2024, 6, 15, 9.0)) <= 42);
    // Half a year, another weekday, the other end of the day: only "no weekend" is left.
    assert_eq!(shared(&code(2024, 12, 12, 21.0)), 21);
    // New year's eve and the day after are of one season.
    let [eve, day] = [code(2025, 12, 31, 9.0), code(2026, 1, 1, 9.0)];
    assert!(eve.overlap(&day).unwrap() >= 61);
    assert!(DateEncoder::new(21, 13.0).is_err() && DateEncoder::new(0, 4.0).is_err());
    assert!(
        encoder
            .encode(&DateTime {
                year: 2024,
                month: 2,
                day: 30,
                hour: 0.0
            })
            .is_err()
    );
}

#[test]
fn codes_stand_side_by_side() {
    let mut rng = Seed::new(1).rng();
    let [a, b] = [30, 70].map(|cells| Sdr::random(cells, 5, &mut rng).unwrap());
    let both = concatenate([&a, &b]).unwrap();
    assert_eq!((both.cells(), both.len()), (100, 10));
    assert!(a.active().iter().all(|&cell| both.contains(cell)));
    assert!(b.active().iter().all(|&cell| both.contains(cell + 30)));
    assert!(concatenate([]).is_err());
}
