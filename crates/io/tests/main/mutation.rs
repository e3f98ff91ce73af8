//! Damaged files, thousands of them: an error or a value, never a panic, never slow.

use std::time::{Duration, Instant};

use chiasm_core::Seed;
use rand::RngExt;

use super::{corpus, file_name, named_format, parse};

/// How many bytes of each file are changed, one or a few at a time.
const CHANGES: usize = 400;

#[test]
fn cut_short_anywhere() {
    for path in corpus("good") {
        let name = file_name(&path);
        if name.ends_with(".img") || name.ends_with("pair.hdr") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let format = named_format(&name);
        parse(format, &bytes, &name).unwrap();
        for end in 0..bytes.len() {
            let result = timed(&name, || parse(format, &bytes[..end], &name));
            // Text has no length of its own; the rest must notice that the end is missing.
            let noticed =
                name.starts_with("csv_") || name == "edf_unfinished.edf" || result.is_err();
            // RIFF padding behind the data may go missing without harm.
            let harmless = name == "wav_odd_chunk.wav" && end >= bytes.len() - 12;
            assert!(
                noticed || harmless,
                "{name}: cut at {end} of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn changed_anywhere() {
    for path in corpus("good") {
        let name = file_name(&path);
        if name.ends_with(".img") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let format = named_format(&name);
        let mut rng = Seed::new(7).named(&name).rng();
        for _ in 0..CHANGES {
            let mut changed = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..changed.len());
                changed[at] = match rng.random_range(0..4) {
                    0 => changed[at] ^ (1 << rng.random_range(0..8)),
                    1 => 0,
                    2 => 0xff,
                    _ => rng.random(),
                };
            }
            let _ = timed(&name, || parse(format, &changed, &name));
        }
    }
}

#[test]
fn headers_of_noise() {
    let mut rng = Seed::new(8).named("noise").rng();
    for path in corpus("good") {
        let name = file_name(&path);
        let bytes = std::fs::read(&path).unwrap();
        for _ in 0..40 {
            // The magic stays, the rest of the beginning is noise.
            let mut changed = bytes.clone();
            let end = changed.len().min(600);
            let begin = end.min(rng.random_range(4..16));
            rng.fill(&mut changed[begin..end]);
            let _ = timed(&name, || parse(named_format(&name), &changed, &name));
        }
    }
}

fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    assert!(
        begin.elapsed() < Duration::from_secs(1),
        "{name} took {:?}",
        begin.elapsed()
    );
    result
}
