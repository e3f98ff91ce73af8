use chiasm_core::Seed;
use chiasm_memory::Sdr;
use chiasm_memory::correlated_patterns::{
    ClusterSettings, ClusteredPopulation, mean_pair_correlation,
};

fn patterns(sizes: &[usize], share: f64, count: usize, seed: u64) -> Vec<Sdr> {
    let settings = ClusterSettings {
        cells: 1000,
        active: 30,
        cluster_sizes: sizes.to_vec(),
        membership_shares: vec![share; sizes.len()],
    };
    let mut rng = Seed::new(seed).rng();
    ClusteredPopulation::new(&settings, &mut rng)
        .unwrap()
        .patterns(count, &mut rng)
}

/// The definition, by the Pearson correlation of whole columns.
fn by_definition(patterns: &[Sdr]) -> f64 {
    let cells = patterns[0].cells() as u32;
    let columns: Vec<Vec<f64>> = (0..cells)
        .map(|cell| {
            patterns
                .iter()
                .map(|p| f64::from(u8::from(p.contains(cell))))
                .collect()
        })
        .collect();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let correlation = |x: &[f64], y: &[f64]| {
        let (mx, my) = (mean(x), mean(y));
        let cross: f64 = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum();
        let square = |v: &[f64], m: f64| v.iter().map(|a| (a - m).powi(2)).sum::<f64>();
        let scale = (square(x, mx) * square(y, my)).sqrt();
        if scale == 0.0 { 0.0 } else { cross / scale }
    };
    let (mut sum, mut pairs) = (0.0, 0.0);
    for pattern in patterns {
        for &i in pattern.active() {
            for &j in pattern.active().iter().filter(|&&j| j != i) {
                sum += correlation(&columns[i as usize], &columns[j as usize]);
                pairs += 1.0;
            }
        }
    }
    sum / pairs
}

#[test]
fn correlation_agrees_with_its_definition() {
    let mut small = patterns(&[4], 1.0, 60, 1);
    assert!((mean_pair_correlation(&small).unwrap() - by_definition(&small)).abs() < 1e-12);
    // A cell that is always active has no variance; patterns may differ in size.
    small = small
        .iter()
        .map(|p| Sdr::union([p, &Sdr::new(1000, vec![3]).unwrap()]).unwrap())
        .collect();
    assert!((mean_pair_correlation(&small).unwrap() - by_definition(&small)).abs() < 1e-12);
    assert!(mean_pair_correlation(&small[..1]).is_err());
    let lonely = vec![Sdr::new(5, vec![1]).unwrap(), Sdr::new(5, vec![2]).unwrap()];
    assert!(
        mean_pair_correlation(&lonely)
            .unwrap_err()
            .to_string()
            .contains("two active")
    );
    assert!(mean_pair_correlation(&[lonely[0].clone(), Sdr::empty(6).unwrap()]).is_err());
}

#[test]
fn clusters_correlate_and_their_absence_does_not() {
    let count = 20_000;
    let none = mean_pair_correlation(&patterns(&[], 1.0, count, 1)).unwrap();
    // Independent patterns: what counting only pairs that met adds, 1000 / (20 000 x 30).
    assert!((none - 1000.0 / (20_000.0 * 30.0)).abs() < 2e-3, "{none}");
    let found =
        [2, 5, 9].map(|size| mean_pair_correlation(&patterns(&[size], 1.0, count, 1)).unwrap());
    assert!(
        found[0] > none + 5e-3 && found[1] > found[0] && found[2] > found[1],
        "{found:?}"
    );
    // More memberships a cell: weaker correlation.
    let diluted = mean_pair_correlation(&patterns(&[9], 3.0, count, 1)).unwrap();
    assert!(diluted < found[2] - 0.01, "{diluted} {found:?}");
}

#[test]
fn patterns_keep_their_size_and_use_every_cell() {
    let drawn = patterns(&[2, 9], 1.5, 2000, 7);
    assert!(
        drawn
            .iter()
            .all(|pattern| pattern.len() == 30 && pattern.cells() == 1000)
    );
    assert_eq!(Sdr::union(&drawn).unwrap().len(), 1000);
    assert_eq!(drawn, patterns(&[2, 9], 1.5, 2000, 7));
    // So few clusters that they run out: filled with single cells.
    assert!(
        patterns(&[9], 0.01, 50, 1)
            .iter()
            .all(|pattern| pattern.len() == 30)
    );
    let refused = |settings: ClusterSettings| settings.check().unwrap_err().to_string();
    let settings = ClusterSettings::default;
    assert!(
        refused(ClusterSettings {
            active: 2001,
            ..settings()
        })
        .contains("active")
    );
    assert!(
        refused(ClusterSettings {
            cluster_sizes: vec![33],
            ..settings()
        })
        .contains("cluster size")
    );
    assert!(
        refused(ClusterSettings {
            cluster_sizes: vec![2, 3],
            ..settings()
        })
        .contains("kinds of cluster")
    );
    assert!(
        refused(ClusterSettings {
            membership_shares: vec![f64::NAN],
            ..settings()
        })
        .contains("share")
    );
    assert!(
        refused(ClusterSettings {
            cells: 0,
            ..settings()
        })
        .contains("cells")
    );
}
