use chiasm_numerics::similarity::inference::{noise_ceiling, noise_ceiling_of_sample};
use chiasm_numerics::similarity::{Comparator, ConditionSample, PreparedRdm};

use super::{comparator, numbers, rdms, reference};

#[test]
fn ceilings_agree_with_rsatoolbox() {
    let reference = reference();
    for kind in ["comparators_plain", "comparators_tied"] {
        let subjects = rdms(&reference[kind]["rdms"]);
        for (name, bounds) in reference[kind]["noise_ceilings"].as_object().unwrap() {
            let found = noise_ceiling(&subjects, comparator(name)).unwrap();
            let expected = numbers(bounds);
            assert!(
                (found.lower - expected[0]).abs() < 1e-9,
                "{kind} {name} {found:?} {expected:?}"
            );
            assert!(
                (found.upper - expected[1]).abs() < 1e-9,
                "{kind} {name} {found:?} {expected:?}"
            );
        }
    }
}

/// Two copies of subject 0: leaving out only one of them would let its twin predict it.
#[test]
fn all_copies_of_a_subject_are_left_out_together() {
    let reference = reference();
    let case = &reference["resampled_subjects"];
    let subjects = rdms(&reference["comparators_plain"]["rdms"]);
    let times = numbers(&case["times"])
        .into_iter()
        .map(|times| times as usize)
        .collect::<Vec<_>>();
    let sample = ConditionSample::all(9);
    let prepared: Vec<_> = subjects
        .iter()
        .map(|rdm| PreparedRdm::new(rdm, true).unwrap())
        .collect();
    let seen: Vec<_> = prepared
        .iter()
        .map(|rdm| rdm.seen_through(&sample))
        .collect();
    let ceiling_of = |comparator| {
        noise_ceiling_of_sample(&seen, &times, comparator, &sample)
            .unwrap()
            .unwrap()
    };
    for (name, bounds) in case["noise_ceilings"].as_object().unwrap() {
        let found = ceiling_of(comparator(name));
        let copies = [&subjects[0], &subjects[0], &subjects[2], &subjects[3]].map(Clone::clone);
        let inflated = noise_ceiling(&copies, comparator(name)).unwrap();
        assert!(
            inflated.lower > found.lower + 0.02,
            "{name}: {inflated:?} {found:?}"
        );
        assert!(
            (found.upper - inflated.upper).abs() < 1e-12,
            "{name} {bounds}"
        );
    }
    // By hand for cosine: each distinct subject against the others in units of their root mean square.
    let cosine = |x: &[f64], y: &[f64]| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()
    };
    let lower: Vec<f64> = [0, 2, 3]
        .map(|left_out: usize| {
            let mut pool = vec![0.0; 36];
            for other in [0, 0, 2, 3].into_iter().filter(|other| *other != left_out) {
                let values = subjects[other].values();
                let size = (values.iter().map(|value| value * value).sum::<f64>() / 36.0).sqrt();
                pool.iter_mut()
                    .zip(values)
                    .for_each(|(pool, value)| *pool += value / size);
            }
            cosine(&pool, subjects[left_out].values())
        })
        .to_vec();
    // rsatoolbox then gives every distinct subject the same weight; a bootstrap of the mean must count a
    // subject as often as it was drawn.
    let theirs = numbers(&case["noise_ceilings"]["cosine"])[0];
    assert!((theirs - (lower[0] + lower[1] + lower[2]) / 3.0).abs() < 1e-9);
    let expected = (2.0 * lower[0] + lower[1] + lower[2]) / 4.0;
    assert!((ceiling_of(Comparator::Cosine).lower - expected).abs() < 1e-9);
}

#[test]
fn ceilings_need_two_subjects_that_vary() {
    let reference = reference();
    let subjects = rdms(&reference["comparators_plain"]["rdms"]);
    assert!(noise_ceiling(&subjects[..1], Comparator::Pearson).is_err());
    let flat = chiasm_core::data::Rdm::from_condensed("flat", vec![1.0; 36]).unwrap();
    assert!(noise_ceiling(&[subjects[0].clone(), flat], Comparator::Pearson).is_err());
}
