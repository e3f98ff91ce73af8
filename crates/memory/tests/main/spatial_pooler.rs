use chiasm_core::Seed;
use chiasm_memory::Sdr;
use chiasm_memory::spatial_pooler::{SpatialPooler, SpatialPoolerSettings};

fn settings() -> SpatialPoolerSettings {
    SpatialPoolerSettings {
        inputs: 400,
        columns: 300,
        active: 12,
        ..SpatialPoolerSettings::default()
    }
}

fn inputs(count: usize, seed: u64) -> Vec<Sdr> {
    let mut rng = Seed::new(seed).rng();
    (0..count)
        .map(|_| Sdr::random(400, 40, &mut rng).unwrap())
        .collect()
}

#[test]
fn codes_have_the_wanted_sparsity_and_best_overlaps_win() {
    let settings = SpatialPoolerSettings {
        boost_strength: 0.0,
        potential_share: 0.5,
        ..settings()
    };
    let mut pooler = SpatialPooler::new(settings, &Seed::new(0)).unwrap();
    for input in inputs(20, 1) {
        let overlaps = pooler.overlaps(&input).unwrap();
        // 40 active inputs, half of them potential, half of those connected.
        let mean = overlaps.iter().map(|&o| f64::from(o)).sum::<f64>() / 300.0;
        assert!((mean - 10.0).abs() < 1.5, "{mean}");
        let code = pooler.compute(&input, false).unwrap();
        assert_eq!((code.len(), code.cells()), (12, 300));
        let least = code
            .active()
            .iter()
            .map(|&c| overlaps[c as usize])
            .min()
            .unwrap();
        let better = overlaps.iter().filter(|&&overlap| overlap > least).count();
        assert!(better < 12, "no column that lost has a larger overlap");
        assert_eq!(
            code,
            pooler.compute(&input, false).unwrap(),
            "not learning changes nothing"
        );
    }
    assert_eq!(
        pooler
            .compute(&Sdr::empty(400).unwrap(), true)
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn learning_makes_codes_robust_to_noise() {
    let learned = inputs(40, 1);
    let mut pooler = SpatialPooler::new(settings(), &Seed::new(0)).unwrap();
    let robustness = |pooler: &mut SpatialPooler, inputs: &[Sdr]| {
        let mut rng = Seed::new(9).rng();
        let each = inputs.iter().map(|input| {
            let noisy = input.with_noise(16, &mut rng).unwrap();
            let clean = pooler.compute(input, false).unwrap();
            clean
                .overlap(&pooler.compute(&noisy, false).unwrap())
                .unwrap() as f64
                / 12.0
        });
        each.sum::<f64>() / inputs.len() as f64
    };
    let before = robustness(&mut pooler, &learned);
    for _ in 0..60 {
        for input in &learned {
            pooler.compute(input, true).unwrap();
        }
    }
    let after = robustness(&mut pooler, &learned);
    assert!(after > 0.8 && after > before + 0.4, "{before} {after}");
    // Inputs it never saw gain nothing like it.
    let unseen = robustness(&mut pooler, &inputs(40, 2));
    assert!(unseen < after - 0.3, "{unseen} {after}");
}

#[test]
fn boosting_gives_every_column_its_turn() {
    let spread = |boost_strength| {
        let settings = SpatialPoolerSettings {
            boost_strength,
            ..settings()
        };
        let mut pooler = SpatialPooler::new(settings, &Seed::new(0)).unwrap();
        let stream = inputs(60, 3);
        for _ in 0..50 {
            for input in &stream {
                pooler.compute(input, true).unwrap();
            }
        }
        let duty = pooler.duty_cycles();
        assert!(
            (duty.iter().sum::<f64>() - 12.0).abs() < 1e-6,
            "twelve winners an input"
        );
        let idle = duty.iter().filter(|&&share| share < 0.004).count();
        let boosts = pooler.boosts();
        let rarest = (0..300)
            .min_by(|&a, &b| duty[a].total_cmp(&duty[b]))
            .unwrap();
        assert!(boosts.iter().all(|&boost| boost <= boosts[rarest]));
        idle
    };
    let (with, without) = (spread(100.0), spread(0.0));
    assert!(
        with < 3 && without > 20,
        "{with} {without} columns of 300 idle"
    );
}

#[test]
fn bad_input_is_refused() {
    let refused = |settings: SpatialPoolerSettings| {
        SpatialPooler::new(settings, &Seed::new(0))
            .unwrap_err()
            .to_string()
    };
    let base = settings;
    assert!(
        refused(SpatialPoolerSettings {
            inputs: 0,
            ..base()
        })
        .contains("cells")
    );
    assert!(
        refused(SpatialPoolerSettings {
            active: 301,
            ..base()
        })
        .contains("active")
    );
    assert!(
        refused(SpatialPoolerSettings {
            potential_share: 0.0,
            ..base()
        })
        .contains("potential")
    );
    assert!(
        refused(SpatialPoolerSettings {
            inputs: 70_000,
            ..base()
        })
        .contains("65535")
    );
    assert!(
        refused(SpatialPoolerSettings {
            permanence_increment: f32::NAN,
            ..base()
        })
        .contains("increment")
    );
    assert!(
        refused(SpatialPoolerSettings {
            boost_strength: -1.0,
            ..base()
        })
        .contains("boost")
    );
    assert!(
        refused(SpatialPoolerSettings {
            duty_cycle_period: 0,
            ..base()
        })
        .contains("period")
    );
    let mut pooler = SpatialPooler::new(base(), &Seed::new(0)).unwrap();
    assert!(pooler.compute(&Sdr::empty(399).unwrap(), true).is_err());
}
