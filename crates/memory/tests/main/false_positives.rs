use chiasm_core::{Progress, Seed};
use chiasm_memory::Sdr;
use chiasm_memory::correlated_patterns::{ClusterSettings, ClusteredPopulation};
use chiasm_memory::false_positives::FalsePositives;

fn measure(patterns: &[Sdr], segments: usize, synapses: usize) -> FalsePositives {
    FalsePositives::measure(
        patterns,
        segments,
        synapses,
        &Seed::new(1),
        &Progress::silent(),
    )
    .unwrap()
}

fn patterns(cluster_sizes: Vec<usize>) -> Vec<Sdr> {
    let settings = ClusterSettings {
        cells: 1000,
        active: 30,
        membership_shares: vec![1.5; cluster_sizes.len()],
        cluster_sizes,
    };
    let mut rng = Seed::new(4).rng();
    ClusteredPopulation::new(&settings, &mut rng)
        .unwrap()
        .patterns(20_000, &mut rng)
}

#[test]
fn theory_holds_for_random_patterns_and_is_optimistic_for_clustered_ones() {
    let random = measure(&patterns(vec![]), 100, 20);
    assert_eq!(
        (random.shown(), random.repeated(), random.segments()),
        (10_000, 0, 100)
    );
    for threshold in 3..=5 {
        let (rate, predicted) = (random.rate(threshold), random.predicted(threshold).unwrap());
        // Patterns shown to one neuron are not quite independent trials.
        let sigma = (predicted * (1.0 - predicted) / 10_000.0).sqrt();
        assert!(
            (rate - predicted).abs() < 6.0 * sigma + 1e-4,
            "{threshold} {rate} {predicted}"
        );
    }
    let clustered = measure(&patterns(vec![9]), 100, 20);
    assert!(clustered.rate(6) > 20.0 * clustered.predicted(6).unwrap());
    // The prediction knows only sizes.
    assert_eq!(
        clustered.predicted(6).unwrap(),
        random.predicted(6).unwrap()
    );
    assert_eq!(random.count(21), 0);
    assert_eq!(random.rate(0), 1.0);
}

#[test]
fn sizes_may_differ_and_repeats_do_not_count() {
    let mut rng = Seed::new(7).rng();
    let mut mixed: Vec<Sdr> = (0..40)
        .map(|i| Sdr::random(500, 10 + i % 5, &mut rng).unwrap())
        .collect();
    let found = measure(&mixed, 500, 8);
    assert_eq!((found.segments(), found.shown()), (20, 20));
    mixed[25] = mixed[3].clone();
    let found = measure(&mixed, 500, 8);
    assert_eq!((found.shown(), found.repeated()), (19, 1));
    let refused = |patterns: &[Sdr], segments, synapses| {
        FalsePositives::measure(
            patterns,
            segments,
            synapses,
            &Seed::new(1),
            &Progress::silent(),
        )
        .is_err()
    };
    assert!(refused(&mixed[..1], 5, 8) && refused(&mixed, 5, 11) && refused(&mixed, 0, 8));
    let same = vec![mixed[0].clone(); 6];
    let found = measure(&same, 3, 8);
    assert_eq!(
        (found.shown(), found.repeated(), found.rate(1)),
        (0, 3, 0.0)
    );
    assert_eq!(found.predicted(1).unwrap(), 0.0);
}
