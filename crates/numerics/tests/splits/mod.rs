//! Splitters: every row where it belongs, groups whole.

use chiasm_core::{Error, Seed};
use chiasm_numerics::splits::{
    Split, check_splits, holdout_by_group, holdouts_by_group, k_fold_by_group, leave_one_group_out,
    stratified_k_fold, time_blocks,
};
use proptest::prelude::*;

fn each_row_tests_once(splits: &[Split], rows: usize) {
    check_splits(splits, rows).unwrap();
    let mut tested: Vec<usize> = splits.iter().flat_map(|split| split.test.clone()).collect();
    tested.sort_unstable();
    assert_eq!(tested, (0..rows).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn no_group_straddles(groups in prop::collection::vec(0_u8..12, 8..60), folds in 2_usize..6, seed: u64) {
        let distinct = groups.iter().collect::<std::collections::HashSet<_>>().len();
        let splits = k_fold_by_group(&groups, folds, Some(Seed::new(seed)));
        if distinct < folds {
            let refused = matches!(splits, Err(Error::TooFew { found, needed, .. }) if found == distinct && needed == folds);
            prop_assert!(refused);
        } else {
            let splits = splits.unwrap();
            each_row_tests_once(&splits, groups.len());
            let largest = (0..12).map(|g| groups.iter().filter(|&&group| group == g).count()).max().unwrap();
            let sizes: Vec<usize> = splits.iter().map(|split| split.test.len()).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= largest);
            for split in &splits {
                prop_assert_eq!(split.train.len() + split.test.len(), groups.len());
                prop_assert!(split.train.iter().all(|&a| split.test.iter().all(|&b| groups[a] != groups[b])));
            }
        }
    }

    #[test]
    fn blocks_keep_their_distance(rows in 10_usize..80, folds in 2_usize..6, gap in 0_usize..4) {
        let splits = time_blocks(rows, folds, gap).unwrap();
        each_row_tests_once(&splits, rows);
        for split in &splits {
            let (first, last) = (split.test[0], split.test[split.test.len() - 1]);
            prop_assert_eq!(last - first + 1, split.test.len());
            let expected: Vec<usize> = (0..rows).filter(|&r| r + gap < first || r > last + gap).collect();
            prop_assert_eq!(&split.train, &expected);
        }
    }

    #[test]
    fn classes_keep_their_shares(counts in prop::collection::vec(5_usize..20, 2..4), folds in 2_usize..6, seed: u64) {
        let labels: Vec<usize> = counts.iter().enumerate().flat_map(|(c, &n)| vec![c; n]).collect();
        let splits = stratified_k_fold(&labels, folds, Some(Seed::new(seed))).unwrap();
        each_row_tests_once(&splits, labels.len());
        for (class, &count) in counts.iter().enumerate() {
            for split in &splits {
                let here = split.test.iter().filter(|&&row| labels[row] == class).count();
                prop_assert!(here == count / folds || here == count.div_ceil(folds));
            }
        }
    }
}

#[test]
fn repeats_of_a_stimulus_stay_together_in_a_holdout() {
    let groups: Vec<String> = (0..60).map(|row| format!("image {}", row % 20)).collect();
    let splits = holdouts_by_group(&groups, 0.25, 4, Seed::new(1)).unwrap();
    check_splits(&splits, 60).unwrap();
    for split in &splits {
        assert_eq!(split.test.len(), 15);
        assert!(
            split
                .test
                .iter()
                .all(|&row| split.test.contains(&((row + 20) % 60)))
        );
    }
    assert_ne!(splits[0], splits[1]);
    let first = holdout_by_group(&groups, 0.25, Seed::new(1).indexed(0)).unwrap();
    assert_eq!(splits[0], first);
    // However small or large the share, both sides have a group.
    assert_eq!(
        holdout_by_group(&groups, 1e-6, Seed::new(2))
            .unwrap()
            .test
            .len(),
        3
    );
    assert_eq!(
        holdout_by_group(&groups, 0.999, Seed::new(2))
            .unwrap()
            .train
            .len(),
        3
    );
    assert!(holdout_by_group(&groups, 1.0, Seed::new(2)).is_err());
    assert!(holdout_by_group(&["same"; 4], 0.5, Seed::new(2)).is_err());
}

#[test]
fn runs_are_left_out_in_order() {
    let splits = leave_one_group_out(&["b", "b", "a", "c", "a"]).unwrap();
    each_row_tests_once(&splits, 5);
    assert_eq!(splits[1].test, [2, 4]);
    assert_eq!(splits[1].train, [0, 1, 3]);
    assert!(leave_one_group_out(&[1, 1]).is_err());
}

#[test]
fn seeds_shuffle_and_repeat() {
    let groups: Vec<usize> = (0..40).collect();
    let with = |seed| k_fold_by_group(&groups, 4, seed).unwrap();
    assert_eq!(with(Some(Seed::new(3))), with(Some(Seed::new(3))));
    assert_ne!(with(Some(Seed::new(3))), with(Some(Seed::new(4))));
    assert_eq!(with(None)[0].test, (0..40).step_by(4).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_split_is_refused() {
    assert!(k_fold_by_group(&[1, 2, 3], 1, None).is_err());
    assert!(time_blocks(3, 4, 0).is_err());
    assert!(time_blocks(10, 2, 5).is_err());
    let error = stratified_k_fold(&[0, 0, 0, 1, 1], 3, None).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooFew {
                found: 2,
                needed: 3,
                ..
            }
        ),
        "{error}"
    );
    let bad = Split {
        train: vec![0, 1],
        test: vec![1],
    };
    assert!(check_splits(&[bad], 2).is_err());
    assert!(check_splits(&[], 2).is_err());
    let outside = Split {
        train: vec![0],
        test: vec![2],
    };
    assert!(check_splits(std::slice::from_ref(&outside), 2).is_err());
    assert!(outside.within(&[7, 8]).is_err());
    assert_eq!(
        outside.within(&[7, 8, 9]).unwrap(),
        Split {
            train: vec![7],
            test: vec![9]
        }
    );
}
