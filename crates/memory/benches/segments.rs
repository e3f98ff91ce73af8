//! Matching a million dendritic segments of twenty synapses against a code of 2 048 cells, the work
//! of `bench/peers/numpy_segments.py`.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

use chiasm_core::Seed;
use chiasm_memory::Sdr;
use chiasm_memory::segment_index::SegmentIndex;
use chiasm_memory::segments::DendriticSegments;
use divan::{Bencher, black_box};

const CELLS: usize = 2048;
const ACTIVE: usize = 40;
const SEGMENTS: usize = 1_000_000;
const SYNAPSES: usize = 20;
const THRESHOLD: u16 = 4;

fn main() {
    divan::main();
}

fn segments() -> DendriticSegments {
    let mut rng = Seed::new(0).named("segments").rng();
    let mut segments = DendriticSegments::new(CELLS).expect("a population");
    for _ in 0..SEGMENTS {
        let synapses = Sdr::random(CELLS, SYNAPSES, &mut rng).expect("fewer synapses than cells");
        segments
            .push(synapses.active())
            .expect("cells of the population");
    }
    segments
}

fn code(active: usize) -> Sdr {
    Sdr::random(CELLS, active, &mut Seed::new(0).named("code").rng()).expect("a sparse code")
}

/// Every synapse looked up in the code's bits.
#[divan::bench]
fn overlaps_row_by_row(bencher: Bencher) {
    let (segments, code) = (segments(), code(ACTIVE));
    bencher.bench_local(|| segments.overlaps(black_box(&code)));
}

/// Only the synapses of active cells, counted through the index.
#[divan::bench(args = [ACTIVE, CELLS / 2])]
fn overlaps_by_index(bencher: Bencher, active: usize) {
    let (index, code) = (
        SegmentIndex::new(&segments()).expect("an index"),
        code(active),
    );
    bencher.bench_local(|| index.overlaps(black_box(&code)));
}

/// The numbers of the segments that reach threshold.
#[divan::bench]
fn matching_by_index(bencher: Bencher) {
    let (index, code) = (
        SegmentIndex::new(&segments()).expect("an index"),
        code(ACTIVE),
    );
    bencher.bench_local(|| index.matching(black_box(&code), THRESHOLD));
}

/// What the index costs to build.
#[divan::bench(sample_count = 5)]
fn build_index(bencher: Bencher) {
    let segments = segments();
    bencher.bench_local(|| SegmentIndex::new(black_box(&segments)));
}
