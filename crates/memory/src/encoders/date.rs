use chiasm_core::{Error, Result};

use super::{ScalarEncoder, ScalarRange, concatenate};
use crate::sdr::Sdr;

/// A moment of the proleptic Gregorian calendar, local time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DateTime {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// Hours since midnight, at least 0 and below 24.
    pub hour: f64,
}

impl DateTime {
    /// Fails where there is no such day or hour.
    pub fn check(&self) -> Result<()> {
        if !(1..=12).contains(&self.month) {
            return Err(Error::setting("month", self.month, "1 to 12"));
        }
        let days = self.days_in_month();
        if !(1..=days).contains(&self.day) {
            return Err(Error::setting("day", self.day, format!("1 to {days}")));
        }
        if !(0.0..24.0).contains(&self.hour) {
            return Err(Error::setting("hour", self.hour, "at least 0 and below 24"));
        }
        Ok(())
    }

    fn is_leap_year(&self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    fn days_in_month(&self) -> u8 {
        match self.month {
            2 => 28 + u8::from(self.is_leap_year()),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// Days since 1 January of the same year, with the part of the day that has passed.
    pub fn day_of_year(&self) -> f64 {
        let before: u32 = (1..self.month)
            .map(|month| u32::from(DateTime { month, ..*self }.days_in_month()))
            .sum();
        f64::from(before) + f64::from(self.day) - 1.0 + self.hour / 24.0
    }

    /// The day of the week: 0 for Monday to 6 for Sunday.
    pub fn weekday(&self) -> u8 {
        // Days since 1 January of year 1, a Monday: each leap day shifts the week by one more.
        let years = i64::from(self.year) - 1;
        let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
        let days = 365 * years + leaps + self.day_of_year().floor() as i64;
        days.rem_euclid(7) as u8
    }

    fn is_weekend(&self) -> bool {
        self.weekday() >= 5
    }
}

/// Moments as the season, the day of the week, whether it is a weekend, and the time of day, each
/// with cells of its own; all but the weekend are circles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DateEncoder {
    season: ScalarEncoder,
    weekday: ScalarEncoder,
    weekend: ScalarEncoder,
    time: ScalarEncoder,
}

impl DateEncoder {
    /// An encoder with `active` cells for each part. Moments stop sharing cells of a part after a
    /// season (91.5 days), a day of the week, or `hours` hours of the day.
    pub fn new(active: usize, hours: f64) -> Result<Self> {
        if !(hours > 0.0 && hours <= 12.0) {
            return Err(Error::setting("hours", hours, "above 0 and at most 12"));
        }
        let circle = |high: f64, reach: f64| {
            let cells = (active as f64 * high / reach).round() as usize;
            ScalarEncoder::new(
                ScalarRange {
                    low: 0.0,
                    high,
                    circular: true,
                },
                cells,
                active,
            )
        };
        let flag = ScalarRange {
            low: 0.0,
            high: 1.0,
            circular: false,
        };
        Ok(DateEncoder {
            season: circle(366.0, 91.5)?,
            weekday: circle(7.0, 1.0)?,
            weekend: ScalarEncoder::new(flag, active.saturating_mul(2), active)?,
            time: circle(24.0, hours)?,
        })
    }

    /// The number of cells of a code.
    pub fn cells(&self) -> usize {
        [self.season, self.weekday, self.weekend, self.time]
            .iter()
            .map(ScalarEncoder::cells)
            .sum()
    }

    /// The code of `moment`; fails where there is no such moment.
    pub fn encode(&self, moment: &DateTime) -> Result<Sdr> {
        moment.check()?;
        concatenate(&[
            self.season.encode(moment.day_of_year())?,
            self.weekday.encode(moment.weekday().into())?,
            self.weekend
                .encode(f64::from(u8::from(moment.is_weekend())))?,
            self.time.encode(moment.hour)?,
        ])
    }
}
