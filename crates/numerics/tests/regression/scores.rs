use chiasm_core::Seed;
use chiasm_numerics::regression::{
    correlation_scores, correlation_split, product_measure, r2_scores, variance_partition,
};
use ndarray::{Array2, array};

use super::{assert_close, normal};

#[test]
fn scores_by_hand() {
    let y = array![[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]];
    let p = array![[1.0, 1.0], [2.0, 2.0], [4.0, 2.0]];
    // SSE 1, SST 2; r = 3 / sqrt(2 · 14/3).
    assert_close(
        r2_scores(y.view(), p.view()).unwrap(),
        &[0.5, 0.0],
        1e-14,
        "R²",
    );
    let r = 3.0 / (2.0 * 14.0 / 3.0_f64).sqrt();
    assert_close(
        correlation_scores(y.view(), p.view()).unwrap(),
        &[r, 0.0],
        1e-14,
        "r",
    );
    // A constant prediction far from zero has no correlation, whatever rounding leaves.
    let flat = Array2::from_elem((3, 2), 1.0 / 3.0 + 1e6);
    assert_eq!(
        correlation_scores(y.view(), flat.view()).unwrap(),
        [0.0, 0.0]
    );
    assert!(r2_scores(y.view(), p.t()).is_err());
    let none = Array2::<f64>::zeros((0, 2));
    assert!(r2_scores(none.view(), none.view()).is_err());
}

#[test]
fn shares_sum_to_the_joint_scores() {
    let signals = [1, 2, 3].map(|seed| normal(80, 5, Seed::new(seed)));
    let y = &signals[0] + &(0.5 * &signals[1]) + &normal(80, 5, Seed::new(4)) + 3.0;
    let joint = &signals[0] + &signals[1] + &signals[2];
    let parts = [0, 1, 2].map(|part| signals[part].view());
    let sums = |shares: Array2<f64>| shares.sum_axis(ndarray::Axis(0));
    let expected = correlation_scores(y.view(), joint.view()).unwrap();
    let split = correlation_split(y.view(), &parts).unwrap();
    assert_close(sums(split), &expected, 1e-12, "correlation");
    let centred = |values: &Array2<f64>| values - &values.mean_axis(ndarray::Axis(0)).unwrap();
    let expected = r2_scores(centred(&y).view(), centred(&joint).view()).unwrap();
    let measure = product_measure(y.view(), &parts).unwrap();
    assert_close(sums(measure), &expected, 1e-12, "R²");
    assert!(product_measure::<f64>(y.view(), &[]).is_err());
}

#[test]
fn partition_by_hand() {
    let found = variance_partition(&[0.5, 0.9], &[0.4, 0.3], &[0.2, 0.4]).unwrap();
    assert_close(found.unique_first, &[0.3, 0.5], 1e-14, "first");
    assert_close(found.unique_second, &[0.1, 0.6], 1e-14, "second");
    // Together better than the sum: negative, and said so.
    assert_close(found.shared, &[0.1, -0.2], 1e-14, "shared");
    assert!(variance_partition(&[0.5], &[0.4, 0.1], &[0.2]).is_err());
}
