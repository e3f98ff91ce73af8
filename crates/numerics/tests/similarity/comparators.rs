use chiasm_core::Seed;
use chiasm_core::data::Rdm;
use chiasm_numerics::similarity::comparator::{
    angular_shape_distance, linear_cka, pairwise, similarity,
};
use chiasm_numerics::similarity::dissimilarity::rdm_of_patterns;
use chiasm_numerics::similarity::{Comparator, Dissimilarity};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};

use super::{assert_close, comparator, rdms, reference, rows};

fn normal(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut rng = Seed::new(seed).rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

#[test]
fn values_agree_with_rsatoolbox_with_and_without_ties() {
    let reference = reference();
    for kind in ["comparators_plain", "comparators_tied"] {
        let inputs = rdms(&reference[kind]["rdms"]);
        for (name, values) in reference[kind]["values"].as_object().unwrap() {
            // Rounded RDMs are no squared distances of any points. rsatoolbox then divides by traces that
            // include negative directions and gives an RDM a similarity above 1 to itself.
            if name == "bures" && kind == "comparators_tied" {
                assert!(rows(values)[0][0] > 1.01);
                assert!(
                    (pairwise(&inputs, Comparator::Bures).unwrap()[[0, 0]] - 1.0).abs() < 1e-12
                );
                continue;
            }
            let found = pairwise(&inputs, comparator(name)).unwrap();
            // Its own eigenvalues lose half the digits where the kernel has rank 5 of 9.
            let tolerance = if name == "bures" { 1e-6 } else { 1e-10 };
            assert_close(
                found.as_slice().unwrap(),
                &rows(values).concat(),
                tolerance,
                &format!("{kind} {name}"),
            );
        }
    }
}

/// `x'V⁻¹y / sqrt(x'V⁻¹x y'V⁻¹y)` with V built entry by entry and solved by Gaussian elimination.
fn whitened_by_definition(x: &[f64], y: &[f64], conditions: usize) -> f64 {
    let pairs: Vec<(usize, usize)> = (0..conditions)
        .flat_map(|i| (i + 1..conditions).map(move |j| (i, j)))
        .collect();
    let shared = |a: (usize, usize), b: (usize, usize)| {
        let contrast = |pair: (usize, usize), k| f64::from(pair.0 == k) - f64::from(pair.1 == k);
        (0..conditions)
            .map(|k| contrast(a, k) * contrast(b, k))
            .sum::<f64>()
            .powi(2)
    };
    let solve = |right: &[f64]| -> Vec<f64> {
        let m = pairs.len();
        let mut matrix: Vec<Vec<f64>> = (0..m)
            .map(|a| {
                (0..m)
                    .map(|b| shared(pairs[a], pairs[b]))
                    .chain([right[a]])
                    .collect()
            })
            .collect();
        for k in 0..m {
            let pivot = matrix[k].clone();
            for (i, row) in matrix.iter_mut().enumerate() {
                if i != k {
                    let factor = row[k] / pivot[k];
                    row.iter_mut()
                        .zip(&pivot)
                        .for_each(|(value, pivot)| *value -= factor * pivot);
                }
            }
        }
        (0..m).map(|k| matrix[k][m] / matrix[k][k]).collect()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (vx, vy) = (solve(x), solve(y));
    dot(x, &vy) / (dot(x, &vx) * dot(y, &vy)).sqrt()
}

#[test]
fn whitened_cosine_is_the_definition_with_v_inverted() {
    let settings = Dissimilarity::SquaredEuclidean.into();
    let x = rdm_of_patterns("x", normal(1, 7, 4).view(), &settings).unwrap();
    let y = rdm_of_patterns("y", normal(2, 7, 3).view(), &settings).unwrap();
    let expected = whitened_by_definition(x.values(), y.values(), 7);
    assert!((similarity(&x, &y, Comparator::WhitenedCosine).unwrap() - expected).abs() < 1e-10);
}

/// HSIC written out from kernel matrices: biased, and unbiased as in Song et al. 2012, equation 5.
fn cka_by_definition(x: &Array2<f64>, y: &Array2<f64>, debiased: bool) -> f64 {
    let n = x.nrows() as f64;
    let kernel = |patterns: &Array2<f64>| {
        let mut kernel = patterns.dot(&patterns.t());
        if debiased {
            kernel.diag_mut().fill(0.0);
        } else {
            let rows = kernel.mean_axis(Axis(0)).unwrap();
            let mean = rows.mean().unwrap();
            for ((i, j), value) in kernel.indexed_iter_mut() {
                *value += mean - rows[i] - rows[j];
            }
        }
        kernel
    };
    let hsic = |k: &Array2<f64>, l: &Array2<f64>| {
        let trace = (k * l).sum();
        if !debiased {
            return trace;
        }
        let (k_rows, l_rows) = (k.sum_axis(Axis(0)), l.sum_axis(Axis(0)));
        trace + k_rows.sum() * l_rows.sum() / ((n - 1.0) * (n - 2.0))
            - 2.0 / (n - 2.0) * k_rows.dot(&l_rows)
    };
    let (k, l) = (kernel(x), kernel(y));
    hsic(&k, &l) / (hsic(&k, &k) * hsic(&l, &l)).sqrt()
}

#[test]
fn cka_agrees_with_kernels_written_out() {
    let x = normal(3, 15, 6);
    let y = 0.5 * &x.slice(ndarray::s![.., ..4]) + normal(4, 15, 4);
    for debiased in [false, true] {
        let found = linear_cka(x.view(), y.view(), debiased).unwrap();
        assert!(
            (found - cka_by_definition(&x, &y, debiased)).abs() < 1e-10,
            "{debiased}"
        );
    }
}

#[test]
fn debiased_cka_of_unrelated_wide_patterns_is_zero_and_the_biased_one_is_not() {
    let values: Vec<(f64, f64)> = (0..40)
        .map(|world| {
            let (x, y) = (normal(100 + world, 20, 100), normal(200 + world, 20, 100));
            let at = |debiased| linear_cka(x.view(), y.view(), debiased).unwrap();
            (at(false), at(true))
        })
        .collect();
    let mean = |k: fn(&(f64, f64)) -> f64| values.iter().map(k).sum::<f64>() / 40.0;
    assert!(mean(|pair| pair.0) > 0.7);
    assert!(mean(|pair| pair.1).abs() < 0.03);
}

#[test]
fn shape_distance_ignores_rotation_scale_and_offset_and_nothing_else() {
    let x = normal(5, 12, 3);
    let (sin, cos) = 0.8_f64.sin_cos();
    let rotation = ndarray::array![[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]];
    let turned = x.dot(&rotation) * 3.0 + 7.0;
    assert!(angular_shape_distance(x.view(), turned.view()).unwrap() < 1e-6);
    // One stretched axis of an otherwise equal shape: compare with the angle of the optimum, which for
    // commuting positive shapes is the plain angle.
    let mut centred = &x - &x.mean_axis(Axis(0)).unwrap();
    let (_, columns) = centred.dim();
    for k in 0..columns {
        for l in 0..k {
            let overlap = centred.column(k).dot(&centred.column(l))
                / centred.column(l).dot(&centred.column(l));
            let other = centred.column(l).to_owned();
            centred.column_mut(k).scaled_add(-overlap, &other);
        }
    }
    let mut stretched = centred.clone();
    stretched.column_mut(0).mapv_inplace(|value| 2.0 * value);
    let norm = |a: &Array2<f64>| a.iter().map(|value| value * value).sum::<f64>().sqrt();
    let expected = ((&centred * &stretched).sum() / (norm(&centred) * norm(&stretched))).acos();
    let found = angular_shape_distance(centred.view(), stretched.view()).unwrap();
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    // More channels than conditions takes the other way through the kernel.
    let wide = normal(6, 12, 40);
    let rdm = |patterns: &Array2<f64>| {
        rdm_of_patterns(
            "x",
            patterns.view(),
            &Dissimilarity::SquaredEuclidean.into(),
        )
        .unwrap()
    };
    let direct = angular_shape_distance(x.view(), wide.view()).unwrap();
    let through_rdms = similarity(&rdm(&x), &rdm(&wide), Comparator::Procrustes).unwrap();
    let bures = similarity(&rdm(&x), &rdm(&wide), Comparator::Bures).unwrap();
    assert!((direct - through_rdms).abs() < 1e-7 && (bures - direct.cos()).abs() < 1e-7);
}

#[test]
fn undefined_comparisons_are_refused_by_name() {
    let flat = Rdm::from_condensed("flat.npy", vec![0.5; 6]).unwrap();
    let varied = Rdm::from_condensed("b", vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).unwrap();
    for comparator in [
        Comparator::Pearson,
        Comparator::Spearman,
        Comparator::KendallTauB,
        Comparator::RhoA,
        Comparator::WhitenedPearson,
        Comparator::DebiasedCka,
    ] {
        let error = similarity(&flat, &varied, comparator)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("flat.npy") && error.contains(comparator.name()),
            "{error}"
        );
    }
    let small = Rdm::from_condensed("small", vec![0.1, 0.2, 0.3]).unwrap();
    let error = similarity(&varied, &small, Comparator::Cosine)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("conditions of small is 3, expected 4 (as in b)"),
        "{error}"
    );
    assert!(similarity(&small, &small, Comparator::DebiasedCka).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Kendall's tau against all pairs of entries, long enough for several merges, with many ties.
    #[test]
    fn kendall_counts_every_pair(
        x in prop::collection::vec(0_i32..9, 91),
        y in prop::collection::vec(0_i32..30, 91),
    ) {
        let as_rdm = |name: &str, values: &[i32]| {
            Rdm::from_condensed(name, values.iter().copied().map(f64::from).collect()).unwrap()
        };
        let (mut balance, mut free_x, mut free_y) = (0.0, 0.0, 0.0);
        for i in 0..91 {
            for j in 0..i {
                let (dx, dy) = ((x[i] - x[j]).signum(), (y[i] - y[j]).signum());
                balance += f64::from(dx * dy);
                free_x += f64::from(dx.abs());
                free_y += f64::from(dy.abs());
            }
        }
        let (a, b) = (as_rdm("x", &x), as_rdm("y", &y));
        let found = similarity(&a, &b, Comparator::KendallTauA).unwrap();
        prop_assert!((found - balance / (91.0 * 45.0)).abs() < 1e-12);
        let found = similarity(&a, &b, Comparator::KendallTauB).unwrap();
        prop_assert!((found - balance / (free_x * free_y).sqrt()).abs() < 1e-12);
    }

    /// Order-based comparators do not see monotone changes; all similarities stay within bounds.
    #[test]
    fn invariances_and_bounds(values in prop::collection::vec((0.01_f64..1.0, 0.01_f64..1.0), 28)) {
        let rdm = |values: Vec<f64>| Rdm::from_condensed("r", values).unwrap();
        let x = rdm(values.iter().map(|pair| pair.0).collect());
        let y = rdm(values.iter().map(|pair| pair.1).collect());
        let bent = rdm(values.iter().map(|pair| (3.0 * pair.0).exp()).collect());
        for comparator in Comparator::ALL {
            let straight = similarity(&x, &y, comparator).unwrap();
            prop_assert!((similarity(&y, &x, comparator).unwrap() - straight).abs() < 1e-9);
            if comparator.is_distance() {
                prop_assert!((0.0..=std::f64::consts::FRAC_PI_2 + 1e-12).contains(&straight));
            } else {
                prop_assert!(straight.abs() <= 1.0 + 1e-12);
            }
            if comparator.uses_ranks() {
                prop_assert!((similarity(&bent, &y, comparator).unwrap() - straight).abs() < 1e-12);
            }
        }
    }
}
