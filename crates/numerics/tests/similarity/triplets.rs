//! Triplets that take two similarities apart.

use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::triplets::{
    LowSigns, Similarity, ToleranceUnit, Triplet, TripletSettings, difference_correlation,
    feature_differences, random_triplets, reused_images, select_triplets,
};
use ndarray::{Array2, array};
use rand_distr::{Distribution, StandardNormal};

fn normal(seed: Seed, rows: usize, columns: usize) -> Array2<f64> {
    let mut rng = seed.rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

/// Images of twenty categories whose two levels share them, as on the paper's card: 32 dimensions each,
/// high = category + 0.5 noise, low = 0.55 projected category + 0.9 noise.
fn images(number: u64, images: usize) -> (Similarity, Similarity) {
    let seed = Seed::new(number).named("images");
    let centres = normal(seed.named("categories"), 20, 32);
    let projected = centres.dot(&(normal(seed.named("projection"), 32, 32) / 32f64.sqrt()));
    let mut high = normal(seed.named("high"), images, 32) * 0.5;
    let mut low = normal(seed.named("low"), images, 32) * 0.9;
    for image in 0..images {
        high.row_mut(image)
            .scaled_add(1.0, &centres.row(image % 20));
        low.row_mut(image)
            .scaled_add(0.55, &projected.row(image % 20));
    }
    (
        Similarity::of_features("high", high.view()).unwrap(),
        Similarity::of_features("low", low.view()).unwrap(),
    )
}

fn four_bins() -> TripletSettings {
    TripletSettings {
        bins: 4,
        ..Default::default()
    }
}

fn select(
    high: &Similarity,
    low: &Similarity,
    settings: &TripletSettings,
    seed: u64,
) -> Vec<Triplet> {
    let seed = Seed::new(seed);
    select_triplets(high, low, settings, seed, &Progress::silent())
        .unwrap()
        .triplets
}

fn correlation(triplets: &[Triplet]) -> f64 {
    difference_correlation(triplets).unwrap()
}

#[test]
fn forty_eight_triplets_lose_the_correlation_that_random_ones_have() {
    // The card's figures: 0.356 at random, 0.035 selected; |r| < 0.1 is required.
    let mut random_mean = 0.0;
    for world in 0..3 {
        let (high, low) = images(world, 1000);
        let random = random_triplets(&high, &low, 333, Seed::new(world)).unwrap();
        assert_eq!(reused_images(&random), 0);
        random_mean += correlation(&random) / 3.0;
        let selected = select(&high, &low, &four_bins(), world);
        assert_eq!(selected.len(), 48);
        assert_eq!(reused_images(&selected), 0);
        assert!(
            correlation(&selected).abs() < 0.1,
            "{}",
            correlation(&selected)
        );
    }
    assert!((0.25..0.5).contains(&random_mean), "{random_mean}");
}

#[test]
fn differences_hit_their_bins_on_both_sides_in_random_order() {
    let (high, low) = images(7, 1000);
    let settings = four_bins();
    let selection =
        select_triplets(&high, &low, &settings, Seed::new(1), &Progress::silent()).unwrap();
    let (mut right, mut same_sign) = (0, 0);
    for triplet in &selection.triplets {
        // The differences are those of the matrices.
        let again = Triplet::of(&high, &low, triplet.images());
        assert_eq!(again.high_difference, triplet.high_difference);
        assert_eq!(again.low_difference, triplet.low_difference);
        let [i, j] = triplet.bin.unwrap();
        let off = |difference: f64, steps: usize, deviation: f64| {
            (difference.abs() - 0.5 * steps as f64 * deviation).abs()
        };
        assert!(off(triplet.high_difference, i, selection.high_deviation) <= 0.01 + 1e-12);
        assert!(off(triplet.low_difference, j, selection.low_deviation) <= 0.01 + 1e-12);
        right += usize::from(triplet.high_difference > 0.0);
        same_sign += usize::from(triplet.high_difference * triplet.low_difference > 0.0);
    }
    // Binomial of 48: standard deviation 3.5; balanced signs stay close to one half.
    assert!((12..=36).contains(&right), "{right}");
    assert!((14..=34).contains(&same_sign), "{same_sign}");
    // What was found adds up.
    let found: usize = selection.coverage.iter().map(|bin| bin.found).sum();
    assert_eq!(found, selection.triplets.len());
    assert_eq!(selection.coverage.len(), 16);
    assert!((selection.yield_share() - found as f64 / 48.0).abs() < 1e-15);
    assert!(
        selection
            .coverage
            .iter()
            .all(|bin| bin.roots_tried >= bin.found)
    );
    // A step counts in deviations without the ones of the diagonal unless they are asked for.
    let entries: Vec<f64> = high
        .values()
        .indexed_iter()
        .filter(|((i, j), _)| i != j)
        .map(|(_, value)| *value)
        .collect();
    let mean = entries.iter().sum::<f64>() / entries.len() as f64;
    let variance = entries.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / entries.len() as f64;
    assert!((selection.high_deviation - variance.sqrt()).abs() < 1e-12);
    assert!(high.deviation(true) > high.deviation(false));
}

#[test]
fn every_image_can_be_a_root_and_none_comes_twice_over_all_tables() {
    // Loose targets, so that nearly all images are used up.
    let (high, low) = images(3, 60);
    let settings = TripletSettings {
        bins: 2,
        tables: 20,
        tolerance: 0.5,
        tolerance_unit: ToleranceUnit::StandardDeviation,
        ..Default::default()
    };
    let mut rooted = [false; 60];
    for seed in 0..40 {
        let selection =
            select_triplets(&high, &low, &settings, Seed::new(seed), &Progress::silent()).unwrap();
        assert_eq!(reused_images(&selection.triplets), 0);
        assert!(
            selection.triplets.len() >= 17,
            "{}",
            selection.triplets.len()
        );
        assert!(selection.triplets.len() < 80 && selection.yield_share() < 0.3);
        for triplet in &selection.triplets {
            rooted[triplet.root] = true;
        }
    }
    assert!(rooted.iter().all(|&root| root));
}

#[test]
fn a_seed_repeats_its_triplets_on_any_number_of_threads() {
    let (high, low) = images(4, 400);
    // Tight and far out: many roots fail, so that the parallel part is used.
    let settings = TripletSettings {
        bins: 8,
        tables: 1,
        tolerance: 0.004,
        ..Default::default()
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| select(&high, &low, &settings, 5))
    };
    let one = on(1);
    assert!(one.len() > 20 && one.len() < 64, "{}", one.len());
    assert_eq!(one, on(4));
    assert_ne!(one, select(&high, &low, &settings, 6));
}

#[test]
fn a_coin_leaves_more_correlation_than_balanced_signs() {
    let (high, low) = images(5, 1000);
    let size = |signs: LowSigns| {
        let settings = TripletSettings {
            signs,
            ..four_bins()
        };
        (0..8)
            .map(|seed| correlation(&select(&high, &low, &settings, seed)).abs() / 8.0)
            .sum::<f64>()
    };
    let (balanced, coin) = (size(LowSigns::Balanced), size(LowSigns::Coin));
    // A coin leaves 0.8 / sqrt(48) = 0.115 on average.
    assert!(
        balanced < 0.05 && (0.05..0.2).contains(&coin),
        "{balanced} {coin}"
    );
}

#[test]
fn selecting_by_a_shuffled_similarity_keeps_the_correlation() {
    // The null: bins of a similarity that says nothing decorrelate nothing.
    let (high, low) = images(6, 1000);
    let order: Vec<usize> = (0..1000).map(|image| (image * 7 + 13) % 1000).collect();
    let shuffled = low.reordered(&order).unwrap();
    let mean = (0..3)
        .map(|seed| {
            let own: Vec<Triplet> = select(&high, &shuffled, &four_bins(), seed)
                .iter()
                .map(|triplet| Triplet::of(&high, &low, triplet.images()))
                .collect();
            correlation(&own) / 3.0
        })
        .sum::<f64>();
    assert!(mean > 0.2, "{mean}");
}

#[test]
fn features_give_the_same_differences_as_their_matrix() {
    let features = normal(Seed::new(8), 30, 12);
    let similarity = Similarity::of_features("x", features.view()).unwrap();
    let triplets = random_triplets(&similarity, &similarity, 10, Seed::new(0)).unwrap();
    let found = feature_differences(features.view(), &triplets).unwrap();
    for (found, triplet) in found.iter().zip(&triplets) {
        assert!((found - triplet.high_difference).abs() < 1e-12);
    }
}

#[test]
fn what_cannot_be_used_is_said() {
    let refuse = |values: Array2<f64>| Similarity::new("sim.npy", values).unwrap_err().to_string();
    let good = array![[1.0, 0.2, 0.3], [0.2, 1.0, 0.4], [0.3, 0.4, 1.0]];
    assert!(Similarity::new("sim.npy", good.clone()).is_ok());
    let text = refuse(Array2::zeros((3, 4)));
    assert!(
        text.contains("columns of sim.npy is 4, expected 3"),
        "{text}"
    );
    let text = refuse(array![[1.0, 0.2], [0.2, 1.0]]);
    assert!(text.contains("at least 3 images, found 2"), "{text}");
    let mut odd = good.clone();
    odd[[0, 2]] = 0.5;
    let text = refuse(odd);
    assert!(
        text.contains("not symmetric") && text.contains("row 0, column 2"),
        "{text}"
    );
    let mut holes = good.clone();
    holes[[1, 2]] = f64::NAN;
    let text = refuse(holes);
    assert!(
        text.contains("NaN") && text.contains("row 1, column 2"),
        "{text}"
    );
    let text = refuse(Array2::from_elem((5, 5), 0.5));
    assert!(text.contains("constant"), "{text}");
    let text = Similarity::of_features("x", Array2::ones((4, 3)).view())
        .unwrap_err()
        .to_string();
    assert!(text.contains("image 0 has constant features"), "{text}");
    let (small, large) = (images(0, 20).0, images(0, 40).1);
    let silent = Progress::silent();
    let text = select_triplets(&small, &large, &four_bins(), Seed::new(0), &silent)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("images of low is 40, expected 20 (as in high)"),
        "{text}"
    );
    assert!(random_triplets(&small, &small, 7, Seed::new(0)).is_err());
    for settings in [
        TripletSettings {
            bins: 0,
            ..four_bins()
        },
        TripletSettings {
            tables: 0,
            ..four_bins()
        },
        TripletSettings {
            step: -0.5,
            ..four_bins()
        },
        TripletSettings {
            tolerance: f64::NAN,
            ..four_bins()
        },
    ] {
        assert!(settings.check().is_err());
    }
}
