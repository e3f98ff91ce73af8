//! The study on small images: what is planted is found, what is not is not.

use super::*;
use chiasm_core::Progress;
use chiasm_core::evidence::Verdict;
use chiasm_core::run::{Device, RunConfig, RunFolder};

fn small() -> TripletStudySettings {
    let quick = TripletStudySettings::at(Scale::Quick);
    TripletStudySettings {
        experiments: 2,
        recovered_observers: 20,
        area_images: 60,
        images: ImageSettings {
            images: 400,
            ..quick.images
        },
        triplets: TripletSettings {
            tables: 2,
            ..quick.triplets
        },
        ..quick
    }
}

fn findings(settings: TripletStudySettings) -> Findings {
    let place = tempfile::tempdir().unwrap();
    let config = RunConfig {
        study: STUDY.slug.to_string(),
        scale: Scale::Quick,
        seeds: vec![0, 1, 2],
        device: Device::Cpu,
        threads: 2,
        version: "test".to_string(),
        data: Vec::new(),
        settings: toml::Table::try_from(settings).unwrap(),
    };
    let folder = RunFolder::create(&place.path().join("triplets"), &config).unwrap();
    let findings = run(&Context::new(config, folder, Progress::silent())).unwrap();
    findings.check_against(STUDY.claims).unwrap();
    findings
}

#[test]
fn decorrelation_and_weights_are_found_where_they_are() {
    let findings = findings(small());
    for claim in findings.claims() {
        let null_must_vanish = claim.id != RANDOM_MISSES.id;
        assert!(
            !null_must_vanish || !claim.control_clears_margin(),
            "{} {:?}",
            claim.id,
            claim.control.per_seed
        );
    }
    let claim = |id: &str| findings.claims().iter().find(|own| own.id == id).unwrap();
    // Twenty to thirty triplets keep a little more than the forty-eight of the claim.
    let own = claim(DECORRELATED.id);
    assert!(
        own.mean < 0.15 && own.mean < own.baseline.mean / 3.0,
        "{own:?}"
    );
    assert!(claim(WEIGHTS_RECOVERED.id).mean > 0.88);
}

#[test]
fn nothing_holds_for_observers_without_preference() {
    let quick = small();
    let coin = TripletStudySettings {
        observers: Observers {
            high_weight: 0.0,
            low_weight: 0.0,
            ..quick.observers
        },
        ..quick
    };
    let findings = findings(coin);
    for id in [DOUBLE_DISSOCIATION.id, LAYERS_TRACK.id] {
        let claim = findings.claims().iter().find(|own| own.id == id).unwrap();
        assert_ne!(claim.verdict, Verdict::Held, "{id} {:?}", claim.per_seed);
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |settings: TripletStudySettings| settings.check().unwrap_err().to_string();
    let text = message(TripletStudySettings {
        folds: 1,
        ..small()
    });
    assert!(text.starts_with("folds = 1"), "{text}");
    let text = message(TripletStudySettings {
        area_images: 401,
        ..small()
    });
    assert!(text.starts_with("area_images = 401"), "{text}");
    for scale in [Scale::Quick, Scale::Standard, Scale::Paper] {
        TripletStudySettings::at(scale).check().unwrap();
    }
}
