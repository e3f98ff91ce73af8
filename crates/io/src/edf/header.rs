//! The header of EDF and BDF: 256 bytes of ASCII for the file, and 256 for each signal.

use crate::{Error, Result};

/// Which of the family a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// European Data Format, 16 bits.
    Edf,
    /// EDF with annotations.
    EdfPlus,
    /// BioSemi Data Format, 24 bits.
    Bdf,
    /// BDF with annotations.
    BdfPlus,
}

impl Kind {
    /// The format's name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Edf => "EDF",
            Kind::EdfPlus => "EDF+",
            Kind::Bdf => "BDF",
            Kind::BdfPlus => "BDF+",
        }
    }

    /// Bytes per sample.
    pub(crate) fn width(self) -> usize {
        match self {
            Kind::Edf | Kind::EdfPlus => 2,
            Kind::Bdf | Kind::BdfPlus => 3,
        }
    }

    fn annotated(self) -> bool {
        matches!(self, Kind::EdfPlus | Kind::BdfPlus)
    }
}

/// What the header says about the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Which of the family it is.
    pub kind: Kind,
    /// Who was recorded.
    pub patient: String,
    /// What was recorded.
    pub recording: String,
    /// When it began, local time, as `YYYY-MM-DDThh:mm:ss`; `None` where anonymised away.
    pub start: Option<String>,
    /// The number of data records.
    pub records: usize,
    /// The length of a data record in seconds; 0 where there are only annotations.
    pub record_seconds: f64,
    /// All signals in the order of the file, annotations included.
    pub(super) all: Vec<Signal>,
}

/// What the header says about a signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Its name, e.g. `EEG Fpz-Cz`.
    pub label: String,
    /// The electrode or sensor.
    pub transducer: String,
    /// The unit of the physical values, e.g. `uV`.
    pub unit: String,
    /// What the ends of the digital range stand for.
    pub physical_range: (f64, f64),
    /// The ends of the digital range.
    pub digital_range: (i32, i32),
    /// Filters that were applied.
    pub prefilter: String,
    /// Samples in each data record.
    pub samples_per_record: usize,
    pub(super) annotations: bool,
}

impl Signal {
    /// The physical value of a stored number.
    pub fn physical(&self, digital: i32) -> f64 {
        let (physical_min, physical_max) = self.physical_range;
        let (digital_min, digital_max) = self.digital_range;
        let gain =
            (physical_max - physical_min) / (f64::from(digital_max) - f64::from(digital_min));
        let offset = physical_max / gain - f64::from(digital_max);
        gain * (offset + f64::from(digital))
    }
}

impl Header {
    /// Bytes of a header for `signals` signals.
    pub(super) fn bytes(signals: usize) -> u64 {
        256 * (signals as u64 + 1)
    }

    /// Bytes of a data record. Fits: 9999 signals of at most 99 999 999 samples of 3 bytes.
    pub(crate) fn record_bytes(&self) -> u64 {
        let samples: u64 = self
            .all
            .iter()
            .map(|signal| signal.samples_per_record as u64)
            .sum();
        samples * self.kind.width() as u64
    }

    /// The number of signals, from the first 256 bytes.
    pub(super) fn signal_count(fixed: &[u8], name: &str) -> Result<usize> {
        let fields = Ascii { bytes: fixed, name };
        if !matches!(fixed.get(..8), Some(b"0       " | b"\xffBIOSEMI")) {
            return Err(Error::malformed_at(
                name,
                "version",
                0,
                "neither \"0\" (EDF) nor 255 and \"BIOSEMI\" (BDF)",
            ));
        }
        let signals = fields.whole(252, 4, "number of signals")?;
        let signals = usize::try_from(signals)
            .ok()
            .filter(|count| (1..=9999).contains(count));
        signals.ok_or_else(|| {
            Error::malformed_at(name, "number of signals", 252, "expected 1 to 9999")
        })
    }

    /// Reads and checks the whole header. `length` is the size of the file.
    pub(super) fn parse(raw: &[u8], length: u64, name: &str) -> Result<Header> {
        let fields = Ascii { bytes: raw, name };
        let signals = Header::signal_count(raw, name)?;
        let declared = fields.whole(184, 8, "header bytes")?;
        if u64::try_from(declared) != Ok(Header::bytes(signals)) {
            let expected = Header::bytes(signals);
            let reason = format!("{declared}, expected {expected} for {signals} signals");
            return Err(Error::malformed_at(name, "header bytes", 184, reason));
        }
        let reserved = fields.text(192, 44);
        let binary = raw.first() == Some(&0xff);
        let kind = match (binary, reserved.get(..4)) {
            (false, Some("EDF+")) => Kind::EdfPlus,
            (true, Some("BDF+")) => Kind::BdfPlus,
            (false, _) => Kind::Edf,
            (true, _) => Kind::Bdf,
        };
        let record_seconds = fields.number(244, 8, "record duration")?;
        if record_seconds < 0.0 {
            let reason = format!("{record_seconds} s, expected 0 or more");
            return Err(Error::malformed_at(name, "record duration", 244, reason));
        }
        let mut all = Vec::with_capacity(signals);
        for signal in 0..signals {
            all.push(fields.signal(signal, signals, kind)?);
        }
        let recording = fields.text(88, 80);
        let mut header = Header {
            kind,
            patient: fields.text(8, 80),
            start: start_of(&fields.text(168, 8), &fields.text(176, 8), &recording),
            recording,
            records: 0,
            record_seconds,
            all,
        };
        if record_seconds == 0.0 && header.all.iter().any(|signal| !signal.annotations) {
            let reason = "0 s, so that signals have no sampling rate";
            return Err(Error::malformed_at(name, "record duration", 244, reason));
        }
        header.records = header.count_records(&fields, length)?;
        Ok(header)
    }

    /// The number of data records, which must agree with the size of the file. Recorders that were
    /// cut off leave -1; then what is there counts.
    fn count_records(&self, fields: &Ascii<'_>, length: u64) -> Result<usize> {
        let declared = fields.whole(236, 8, "number of data records")?;
        let body = length - Header::bytes(self.all.len());
        let record = self.record_bytes().max(1);
        let there = body / record;
        let wrong = |reason| {
            Err(Error::malformed_at(
                fields.name,
                "number of data records",
                236,
                reason,
            ))
        };
        let records = match u64::try_from(declared) {
            Ok(declared) if declared > there => {
                return wrong(format!(
                    "{declared} records of {record} bytes, but the file holds {there}; it is truncated"
                ));
            }
            Ok(declared) if declared < there => {
                return wrong(format!("{declared} records, but the file holds {there}"));
            }
            Ok(declared) => declared,
            Err(_) if declared == -1 => there,
            Err(_) => return wrong(format!("{declared}, expected -1 or more")),
        };
        match usize::try_from(records) {
            Ok(records) => Ok(records),
            Err(_) => wrong(format!("{records} do not fit into memory")),
        }
    }
}

/// Fixed-width ASCII fields.
struct Ascii<'a> {
    bytes: &'a [u8],
    name: &'a str,
}

impl Ascii<'_> {
    /// Text as UTF-8 where it is, else Latin-1: the standard asks for ASCII, programs write both.
    fn text(&self, at: usize, width: usize) -> String {
        let raw = self.bytes.get(at..at + width).unwrap_or_default();
        let text = match std::str::from_utf8(raw) {
            Ok(text) => text.to_string(),
            Err(_) => raw.iter().map(|&byte| char::from(byte)).collect(),
        };
        text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
            .to_string()
    }

    fn whole(&self, at: usize, width: usize, field: &str) -> Result<i64> {
        let text = self.text(at, width);
        text.parse()
            .map_err(|_| self.not_a_number(at, field, &text, "a whole number"))
    }

    fn number(&self, at: usize, width: usize, field: &str) -> Result<f64> {
        let text = self.text(at, width);
        let value: Option<f64> = text.parse().ok().filter(|value: &f64| value.is_finite());
        value.ok_or_else(|| self.not_a_number(at, field, &text, "a number"))
    }

    fn not_a_number(&self, at: usize, field: &str, text: &str, expected: &str) -> Error {
        let shown: String = text
            .chars()
            .map(|c| if c.is_control() { '?' } else { c })
            .collect();
        Error::malformed_at(
            self.name,
            field,
            at as u64,
            format!("{shown:?}, expected {expected}"),
        )
    }

    /// The fields of one signal: the header lists each field for all signals before the next.
    fn signal(&self, signal: usize, signals: usize, kind: Kind) -> Result<Signal> {
        let at = |before: usize, width: usize| 256 + before * signals + width * signal;
        let label = self.text(at(0, 16), 16);
        let field = |what: &str| format!("{what} of signal {} ({label})", signal + 1);
        let digital_at = at(120, 8);
        let annotations =
            kind.annotated() && matches!(label.as_str(), "EDF Annotations" | "BDF Annotations");
        let samples = self.whole(at(216, 8), 8, &field("samples per record"))?;
        let samples_per_record = usize::try_from(samples)
            .ok()
            .filter(|&samples| samples > 0)
            .ok_or_else(|| {
                Error::malformed_at(
                    self.name,
                    field("samples per record"),
                    at(216, 8) as u64,
                    format!("{samples}, expected at least 1"),
                )
            })?;
        let digital = |before: usize, what: &str| -> Result<i32> {
            let value = self.whole(at(before, 8), 8, &field(what))?;
            i32::try_from(value).map_err(|_| {
                Error::malformed_at(
                    self.name,
                    field(what),
                    at(before, 8) as u64,
                    value.to_string(),
                )
            })
        };
        let (physical_range, digital_range) = if annotations {
            ((0.0, 0.0), (0, 0))
        } else {
            let physical_min = self.number(at(104, 8), 8, &field("physical minimum"))?;
            let physical_max = self.number(at(112, 8), 8, &field("physical maximum"))?;
            let digital_min = digital(120, "digital minimum")?;
            let digital_max = digital(128, "digital maximum")?;
            if digital_min >= digital_max || physical_min == physical_max {
                return Err(Error::malformed_at(
                    self.name,
                    field("range"),
                    digital_at as u64,
                    format!(
                        "digital {digital_min} to {digital_max} for physical {physical_min} to \
                         {physical_max} gives no scale"
                    ),
                ));
            }
            ((physical_min, physical_max), (digital_min, digital_max))
        };
        Ok(Signal {
            transducer: self.text(at(16, 80), 80),
            unit: self.text(at(96, 8), 8),
            physical_range,
            digital_range,
            prefilter: self.text(at(136, 80), 80),
            samples_per_record,
            annotations,
            label,
        })
    }
}

/// `dd.mm.yy` and `hh.mm.ss` as ISO 8601. The two-digit year means 1985 to 2084; EDF+ gives all
/// four digits in the recording field.
fn start_of(date: &str, time: &str, recording: &str) -> Option<String> {
    let numbers = |text: &str| -> Option<[u32; 3]> {
        let parts: Vec<u32> = text
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        parts.try_into().ok()
    };
    let [day, month, year] = numbers(date)?;
    let [hour, minute, second] = numbers(time)?;
    let honest = (1..=31).contains(&day)
        && (1..=12).contains(&month)
        && hour < 24
        && minute < 60
        && second < 60
        && year < 100;
    let full = recording
        .strip_prefix("Startdate ")
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|date| date.rsplit('-').next())
        .and_then(|year| year.parse().ok())
        .filter(|full: &u32| full % 100 == year && (1000..10_000).contains(full));
    let year = full.unwrap_or(if year >= 85 { 1900 + year } else { 2000 + year });
    honest.then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}
