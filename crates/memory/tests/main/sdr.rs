use chiasm_core::Seed;
use chiasm_memory::Sdr;
use ndarray::arr1;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn codes_hold_what_they_are_given() {
    let code = Sdr::new(130, vec![129, 0, 64, 63]).unwrap();
    assert_eq!(code.active(), [0, 63, 64, 129]);
    assert_eq!(code.bits(), [1 | 1 << 63, 1, 2]);
    assert_eq!((code.len(), code.cells(), code.is_empty()), (4, 130, false));
    assert!((code.sparsity() - 4.0 / 130.0).abs() < 1e-15);
    assert!(code.contains(129) && !code.contains(1) && !code.contains(1000));
    let dense = arr1(&[false, true, true, false]);
    assert_eq!(
        Sdr::from_dense(dense.view()).unwrap(),
        Sdr::new(4, vec![1, 2]).unwrap()
    );
    assert!(
        Sdr::new(130, vec![130])
            .unwrap_err()
            .to_string()
            .contains("below 130")
    );
    assert!(
        Sdr::new(130, vec![4, 4])
            .unwrap_err()
            .to_string()
            .contains("at most once")
    );
    assert!(Sdr::new(0, vec![]).is_err());
    assert!(Sdr::union([]).is_err());
    let other = Sdr::empty(64).unwrap();
    assert!(
        code.overlap(&other)
            .unwrap_err()
            .to_string()
            .contains("130")
    );
    assert!(Sdr::union([&code, &other]).is_err());
    let mut rng = Seed::new(0).rng();
    assert!(Sdr::random(10, 11, &mut rng).is_err());
    assert!(code.subsample(5, &mut rng).is_err());
    assert!(code.with_noise(5, &mut rng).is_err());
    let full = Sdr::random(10, 10, &mut rng).unwrap();
    assert!(full.with_noise(1, &mut rng).is_err());
}

#[test]
fn draws_are_uniform() {
    // Every cell equally often, for random codes, subsamples and both ways of adding noise.
    let mut rng = Seed::new(3).rng();
    let (mut drawn, mut kept, mut fresh_sparse, mut fresh_dense) =
        ([0; 50], [0; 50], [0; 50], [0; 50]);
    let sparse = Sdr::new(50, (0..10).collect()).unwrap();
    let dense = Sdr::new(50, (0..40).collect()).unwrap();
    const ROUNDS: i32 = 20_000;
    for _ in 0..ROUNDS {
        let count = |counts: &mut [i32; 50], code: &Sdr| {
            code.active()
                .iter()
                .for_each(|&cell| counts[cell as usize] += 1);
        };
        count(&mut drawn, &Sdr::random(50, 5, &mut rng).unwrap());
        count(&mut kept, &sparse.subsample(4, &mut rng).unwrap());
        count(&mut fresh_sparse, &sparse.with_noise(4, &mut rng).unwrap());
        count(&mut fresh_dense, &dense.with_noise(4, &mut rng).unwrap());
    }
    let check = |counts: &[i32], probability: f64| {
        let expected = f64::from(ROUNDS) * probability;
        let five_sigma = 5.0 * (expected * (1.0 - probability)).sqrt();
        for &count in counts {
            assert!(
                (f64::from(count) - expected).abs() <= five_sigma,
                "{count} {expected}"
            );
        }
    };
    check(&drawn, 0.1);
    check(&kept[..10], 0.4);
    check(&kept[10..], 0.0);
    check(&fresh_sparse[..10], 0.6);
    check(&fresh_sparse[10..], 0.1);
    check(&fresh_dense[..40], 0.9);
    check(&fresh_dense[40..], 0.4);
}

proptest! {
    #[test]
    fn set_operations_agree_with_sets(
        cells in 1usize..300, seed in 0u64..1000, shares in prop::array::uniform2(0.0..=1.0f64),
    ) {
        let mut rng = Seed::new(seed).rng();
        let [a, b] = shares.map(|share| {
            Sdr::random(cells, (cells as f64 * share) as usize, &mut rng).unwrap()
        });
        let sets = [&a, &b].map(|code| code.active().iter().copied().collect::<BTreeSet<u32>>());
        let both = sets[0].intersection(&sets[1]).count();
        let either: Vec<u32> = sets[0].union(&sets[1]).copied().collect();
        prop_assert_eq!(a.overlap(&b).unwrap(), both);
        prop_assert_eq!(b.overlap(&a).unwrap(), both);
        let union = Sdr::union([&a, &b]).unwrap();
        prop_assert_eq!(union.active(), either.as_slice());
        prop_assert_eq!(&union, &Sdr::new(cells, either.clone()).unwrap());
        let jaccard = if either.is_empty() { 1.0 } else { both as f64 / either.len() as f64 };
        prop_assert_eq!(a.jaccard(&b).unwrap(), jaccard);
        let moved = a.len().min(cells - a.len()) / 2;
        let noisy = a.with_noise(moved, &mut rng).unwrap();
        prop_assert_eq!(noisy.len(), a.len());
        prop_assert_eq!(noisy.overlap(&a).unwrap(), a.len() - moved);
        prop_assert_eq!(&noisy, &Sdr::new(cells, noisy.active().to_vec()).unwrap());
        let part = a.subsample(a.len() / 2, &mut rng).unwrap();
        prop_assert_eq!(part.overlap(&a).unwrap(), a.len() / 2);
    }
}
