use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chiasm_core::{Progress, ProgressSink, Seed};
use chiasm_memory::hypergeometric::Hypergeometric;
use chiasm_memory::recognition::Recognition;
use chiasm_memory::simulation::OverlapCounts;

#[test]
fn counts_follow_the_exact_distribution() {
    for (cells, first, second) in [
        (300, 64, 24),
        (300, 24, 64),
        (128, 51, 30),
        (40, 20, 20),
        (9, 9, 4),
    ] {
        let counts = OverlapCounts::draw(
            cells,
            first,
            second,
            1_000_000,
            &Seed::new(5),
            &Progress::silent(),
        )
        .unwrap();
        let exact = Hypergeometric::new(cells as u64, first as u64, second as u64).unwrap();
        assert_eq!((counts.draws(), counts.at_least(0)), (1_000_000, 1_000_000));
        for overlap in 0..=exact.largest() {
            let probability = exact.at_least(overlap);
            let deviation = counts.deviation(overlap as usize, probability);
            if probability > 1e-5 {
                assert!(
                    deviation.abs() < 4.5,
                    "{cells} {first} {second} {overlap}: {deviation}"
                );
            }
        }
        // A wrong probability is noticed: one synapse more or less.
        if exact.mean() > 2.0 && exact.largest() > exact.smallest() {
            let wrong = Hypergeometric::new(cells as u64, first as u64, second as u64 - 1).unwrap();
            let overlap = exact.mean().ceil() as u64;
            assert!(
                counts
                    .deviation(overlap as usize, wrong.at_least(overlap))
                    .abs()
                    > 20.0
            );
        }
    }
}

#[test]
fn false_negatives_follow_from_the_synapses_noise_takes() {
    // 30 synapses onto a pattern of 128 cells of which 64 move: 12 must stay active.
    let lost =
        OverlapCounts::draw(128, 64, 30, 500_000, &Seed::new(2), &Progress::silent()).unwrap();
    let exact = Recognition::new(2000, 128, 30, 12)
        .false_negative(64)
        .unwrap();
    assert!(lost.deviation(30 - 12 + 1, exact).abs() < 4.0);
}

#[test]
fn counts_do_not_depend_on_threads_and_stop_on_request() {
    let draw = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            OverlapCounts::draw(500, 64, 24, 200_001, &Seed::new(9), &Progress::silent()).unwrap()
        })
    };
    assert_eq!(draw(1), draw(3));
    struct Deaf;
    impl ProgressSink for Deaf {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn note(&self, _: &str) {}
        fn end(&self) {}
    }
    let stopped = Progress::new(Arc::new(Deaf), Arc::new(AtomicBool::new(true)));
    let result = OverlapCounts::draw(500, 64, 24, 10, &Seed::new(9), &stopped);
    assert!(matches!(result, Err(chiasm_core::Error::Interrupted)));
    let draw = |first, draws| {
        OverlapCounts::draw(500, first, 24, draws, &Seed::new(9), &Progress::silent())
    };
    assert!(draw(501, 10).is_err() && draw(5, 0).is_err());
    assert_eq!(draw(5, 10).unwrap().deviation(0, 1.0), 0.0);
    assert!(draw(5, 10).unwrap().deviation(0, 0.0).is_infinite());
}
