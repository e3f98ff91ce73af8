//! The data catalogue: what is bundled, and the cache. Fetching from the registries themselves needs
//! the network: `cargo test -p chiasm-io --test catalogue_data -- --ignored` does it for every item.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use chiasm_core::Progress;
use chiasm_core::data::Clock;
use chiasm_core::evidence::DataSource;
use chiasm_io::catalogue::{self, SpokenLanguage, Status};
use sha2::{Digest, Sha256};

fn silent() -> Progress {
    Progress::silent()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn the_digits_are_the_ones_that_numpy_reads() {
    // Sums printed by numpy from mnist-5000.npz, see data/mnist-5000/make.py.
    let digits = catalogue::mnist_5000().unwrap();
    assert_eq!(digits.images.dim(), (5000, 28, 28));
    let sum = |image: usize| -> u64 {
        digits
            .images
            .index_axis(ndarray::Axis(0), image)
            .iter()
            .map(|&pixel| u64::from(pixel))
            .sum()
    };
    assert_eq!((0..5000).map(sum).sum::<u64>(), 131_267_102);
    assert_eq!((sum(1234), sum(4999)), (45_575, 33_540));
    for digit in 0..10 {
        assert_eq!(
            digits
                .labels
                .iter()
                .filter(|&&label| label == digit)
                .count(),
            500
        );
    }
}

#[test]
fn the_spoken_digits_are_heard() {
    let digits = catalogue::spoken_digits_en().unwrap();
    assert_eq!(digits.len(), 10);
    for (digit, (label, recording)) in digits.iter().enumerate() {
        assert_eq!(*label, digit);
        assert_eq!(
            recording.clock,
            Clock::Regular {
                start: 0.0,
                rate: 8000.0
            }
        );
        assert!(
            (5000..8000).contains(&recording.samples.nrows()),
            "about three quarters of a second"
        );
        let loudest = recording
            .samples
            .iter()
            .fold(0.0_f32, |loud, value| loud.max(value.abs()));
        assert!((0.05..=1.0).contains(&loudest), "{loudest}");
    }
}

#[test]
fn every_item_is_described_and_pinned() {
    let mut names: Vec<&str> = catalogue::ITEMS.iter().map(|item| item.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), catalogue::ITEMS.len());
    for item in catalogue::ITEMS {
        assert!(!item.what.is_empty() && !item.serves.is_empty() && item.bytes() > 0);
        let used = item.used();
        assert_eq!(used.sha256.unwrap().len(), 64);
        match &item.source {
            catalogue::Source::Bundled(files) => {
                assert_eq!(used.source, DataSource::Bundled);
                assert!(!item.licence.contains("GPL"), "GPL data is not bundled");
                assert!(files.iter().any(|file| file.name == "NOTICE"));
                for file in *files {
                    assert_eq!(
                        sha256(file.bytes),
                        file.sha256,
                        "{} {}",
                        item.name,
                        file.name
                    );
                }
            }
            catalogue::Source::Package(package) => {
                assert_eq!(used.source, DataSource::Package);
                assert!(package.archive.contains(package.version));
                for member in package.members {
                    assert_eq!(member.sha256.len(), 64);
                    assert!(!member.local.contains(['/', '\\']) && member.local != "..");
                }
            }
        }
    }
    let used = catalogue::find("mnist-5000").unwrap().used();
    assert_eq!(&used.sha256.unwrap()[..8], "246e0c30");
    let error = catalogue::find("mnist").unwrap_err().to_string();
    assert!(
        error.contains("no data set called \"mnist\"") && error.contains("mnist-5000"),
        "{error}"
    );
}

#[test]
fn the_cache_heals_and_is_made_once() {
    let cache = tempfile::tempdir().unwrap();
    let item = catalogue::find("spoken-digits-en").unwrap();
    let get = || catalogue::get_in(cache.path(), item, &silent()).unwrap();
    let folder = get();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 11);
    let seven = folder.join("7.wav");
    let whole = fs::read(&seven).unwrap();
    let made = fs::metadata(&seven).unwrap().modified().unwrap();
    assert_eq!(get(), folder);
    assert_eq!(
        fs::metadata(&seven).unwrap().modified().unwrap(),
        made,
        "not made again"
    );

    // Same size, other content: only the checksum can tell.
    let mut damaged = whole.clone();
    damaged[5000] ^= 1;
    fs::write(&seven, damaged).unwrap();
    get();
    assert_eq!(fs::read(&seven).unwrap(), whole);
    fs::remove_file(&seven).unwrap();
    get();
    assert_eq!(fs::read(&seven).unwrap(), whole);
    let left: Vec<_> = fs::read_dir(cache.path().join("data")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing half-made stays behind: {left:?}");
}

#[test]
fn many_at_once_get_the_same() {
    let cache = tempfile::tempdir().unwrap();
    let item = catalogue::find("spoken-digits-en").unwrap();
    let places = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let place = catalogue::get_in(cache.path(), item, &silent()).unwrap();
                places.lock().unwrap().push(place);
            });
        }
    });
    let places = places.into_inner().unwrap();
    assert_eq!(places.len(), 8);
    assert!(places.iter().all(|place| place == &places[0]));
    assert_eq!(fs::read_dir(cache.path().join("data")).unwrap().count(), 1);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let item = catalogue::find("spoken-digits-en").unwrap();
    let error = catalogue::get_in(&file, item, &silent())
        .unwrap_err()
        .to_string();
    assert!(error.contains("file/data"), "{error}");
}

/// A program in a folder of its own that stands for a registry's client.
#[cfg(unix)]
fn pretend(folder: &Path, program: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(program);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// `PATH` belongs to the process, so clients are pretended in a process of their own: this test runs
/// itself, and the part below does the asking.
#[cfg(unix)]
#[test]
fn clients_that_are_missing_fail_or_bring_something_else() {
    for (scripts, wanted) in [
        (
            &[][..],
            "cect: download: pip is not installed, and `pip download --no-deps",
        ),
        (
            &[
                ("python3", "echo 'No module named pip' >&2; exit 1"),
                ("pip", "echo no route >&2; exit 1"),
            ],
            "failed (is this machine online?). It said: no route",
        ),
        (&[("pip", "echo x > other.whl")], "[\"other.whl\"] came"),
        (
            &[("pip", "echo x > cect-0.3.5-py3-none-any.whl")],
            "cect-0.3.5-py3-none-any.whl: SHA-256: is \
             73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac, expected",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (program, script) in scripts {
            pretend(folder.path(), program, script);
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "--nocapture",
                "asks_for_the_connectome",
            ])
            .env("PATH", folder.path())
            .env("CHIASM_CACHE", folder.path().join("cache"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(wanted), "{wanted}\n{said}");
        let left = fs::read_dir(folder.path().join("cache/data"))
            .unwrap()
            .count();
        assert_eq!(left, 0, "nothing half-made stays behind");
    }
}

#[test]
#[ignore = "asked by clients_that_are_missing_fail_or_bring_something_else in a process of its own"]
fn asks_for_the_connectome() {
    let error = catalogue::get("worm-connectome", &silent()).unwrap_err();
    println!("{error}");
}

#[test]
#[ignore = "needs the network, pip, npm and apt-get"]
fn everything_can_be_fetched_and_read() {
    for item in catalogue::ITEMS {
        println!(
            "{}",
            catalogue::get(item.name, &silent()).unwrap().display()
        );
    }
    assert!(
        catalogue::list()
            .unwrap()
            .iter()
            .all(|(_, status)| *status != Status::NotFetched)
    );

    // Values printed by h5py from the package's files.
    let atlas = catalogue::worm_functional_atlas(&silent()).unwrap();
    assert_eq!((atlas.names.len(), atlas.names[0].as_str()), (300, "ADAL"));
    let place = |name: &str| atlas.names.iter().position(|own| own == name).unwrap();
    let pair = [place("AVAL"), place("AVAR")];
    assert_eq!(atlas.d_ff[pair], 0.162_998_996_688_722_2);
    assert_eq!(atlas.q[pair], 0.264_816_900_196_639_67);
    assert_eq!(
        (
            atlas.observations[pair],
            atlas.chemical[pair],
            atlas.gap[pair]
        ),
        (6, 1.0, 9.0)
    );
    assert_eq!(
        atlas
            .observations
            .iter()
            .filter(|&&count| count > 0)
            .count(),
        25_345
    );
    assert_eq!(atlas.q.iter().filter(|&&q| q < 0.05).count(), 1310);
    assert_eq!((atlas.chemical.sum(), atlas.gap.sum()), (27_729.0, 5_079.0));
    assert_eq!(atlas.gap, atlas.gap.t());

    let connectome = catalogue::worm_connectome(&silent()).unwrap();
    let nonzero =
        |matrix: &ndarray::Array2<f64>| matrix.iter().filter(|&&weight| weight > 0.0).count();
    assert_eq!(
        nonzero(&connectome.chemical) + nonzero(&connectome.electrical),
        4681 + 2698
    );
    let at = |name: &str| connectome.names.iter().position(|own| own == name).unwrap();
    assert_eq!(
        connectome.chemical[[at("I2L"), at("I1L")]],
        10.0,
        "the first line of the table"
    );

    let (train, test) = catalogue::mnist_70000(&silent()).unwrap();
    assert_eq!(
        (train.images.dim(), test.images.dim()),
        ((60_000, 28, 28), (10_000, 28, 28))
    );
    assert_eq!(train.labels[..5], [5, 0, 4, 1, 9]);

    // Sums printed by numpy.
    let patches = catalogue::face_patches(&silent()).unwrap();
    assert!((patches.images.sum() - 47_138.239_632_364_71).abs() < 1e-6);
    let others = patches
        .images
        .slice(ndarray::s![100.., .., ..])
        .mean()
        .unwrap();
    assert!((others - 0.299_977_166_138_449_66).abs() < 1e-12);
    assert!(patches.is_face[99] && !patches.is_face[100]);

    let recordings = catalogue::grasshopper_auditory(&silent()).unwrap();
    let spikes: Vec<usize> = recordings
        .iter()
        .map(|one| one.spikes.times[0].len())
        .collect();
    assert_eq!(spikes, [929, 868]);
    assert_eq!(recordings[0].stimulus.samples.nrows(), 200_000);
    assert_eq!(recordings[0].spikes.times[0][0], 0.0067);

    for language in [
        SpokenLanguage::French,
        SpokenLanguage::Spanish,
        SpokenLanguage::Italian,
    ] {
        let digits = catalogue::spoken_digits(language, &silent()).unwrap();
        assert_eq!(digits.len(), 10);
        assert!(digits.iter().all(|(_, digit)| digit.rate() == Some(8000.0)));
    }
}
