//! The catalogue's data as typed data. What has to be fetched is fetched by the first call.

use std::fs;
use std::path::Path;

use chiasm_core::Progress;
use chiasm_core::data::{Clock, Intervals, Recording, SpikeTrains};
use ndarray::{Array2, Array3, Ix1, Ix2, Ix3};

use super::{BundledFile, Item, Source, find, get};
use crate::array::Array;
use crate::hdf5::{self, Element};
use crate::{Error, Result, numpy, wav};

/// Pictures of handwritten digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Digits {
    /// Digits x 28 rows x 28 columns, 0 (paper) to 255 (ink).
    pub images: Array3<u8>,
    /// Which digit each is.
    pub labels: Vec<u8>,
}

/// Patches of photographs.
#[derive(Clone, Debug, PartialEq)]
pub struct FacePatches {
    /// Patches x 25 rows x 25 columns, 0 (black) to 1 (white).
    pub images: Array3<f64>,
    /// Whether each shows a face.
    pub is_face: Vec<bool>,
}

/// A language of [`spoken_digits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpokenLanguage {
    /// Bundled; spoken by Allison Smith.
    English,
    /// Fetched; spoken by June Wallack.
    French,
    /// Fetched; spoken by Allison Smith.
    Spanish,
    /// Fetched; spoken by Carlo Flora.
    Italian,
}

/// What the neurons of C. elegans do to each other, and how they are connected. Matrices are
/// (target, source): the row responds, or receives; the column is stimulated, or sends.
#[derive(Clone, Debug, PartialEq)]
pub struct WormAtlas {
    /// The neurons, in the order of rows and columns.
    pub names: Vec<String>,
    /// Mean response in wild type as relative change of fluorescence; NaN where it was never seen.
    pub d_ff: Array2<f64>,
    /// The probability that the response would look like this by chance, corrected for the number of
    /// pairs; NaN where the pair was never seen.
    pub q: Array2<f64>,
    /// How often the pair was seen.
    pub observations: Array2<u32>,
    /// Numbers of chemical synapses, averaged over animals.
    pub chemical: Array2<f64>,
    /// Numbers of gap junctions, averaged over animals; symmetric.
    pub gap: Array2<f64>,
}

/// All synapses of an adult hermaphrodite C. elegans, muscles and other cells included. Matrices are
/// (target, source).
#[derive(Clone, Debug, PartialEq)]
pub struct WormConnectome {
    /// The cells, in order of first appearance.
    pub names: Vec<String>,
    /// Weights of chemical synapses: numbers of sections in which they were seen.
    pub chemical: Array2<f64>,
    /// Weights of electrical synapses.
    pub electrical: Array2<f64>,
}

/// A sound and the spikes it evoked.
#[derive(Clone, Debug, PartialEq)]
pub struct Grasshopper {
    /// Spikes of one receptor in 10 s.
    pub spikes: SpikeTrains,
    /// The sound's amplitude at 20 kHz, in the recording's own units.
    pub stimulus: Recording,
}

/// Five thousand digits of MNIST, 500 of each, in order of digit. Bundled.
pub fn mnist_5000() -> Result<Digits> {
    const NAME: &str = "mnist-5000";
    let file = bundled(find(NAME)?, "mnist-5000.npz")?;
    let mut arrays = numpy::parse_npz(file.bytes, file.name)?;
    let wrong = || {
        Error::malformed(
            file.name,
            "images and labels",
            "not bytes of matching shape",
        )
    };
    match (arrays.remove("images"), arrays.remove("labels")) {
        (Some(Array::U8(images)), Some(Array::U8(labels))) => {
            let images = images.into_dimensionality::<Ix3>().map_err(|_| wrong())?;
            let labels = labels
                .into_dimensionality::<Ix1>()
                .map_err(|_| wrong())?
                .to_vec();
            if images.dim().0 != labels.len() {
                return Err(wrong());
            }
            Ok(Digits { images, labels })
        }
        _ => Err(wrong()),
    }
}

/// All of MNIST: the digits to learn from and those to test on. Fetched.
pub fn mnist_70000(progress: &Progress) -> Result<(Digits, Digits)> {
    let folder = get("mnist-70000", progress)?;
    let read = |name: &str| -> Result<Digits> {
        let images = folder.join(format!("{name}-images-idx3-ubyte"));
        let labels = folder.join(format!("{name}-labels-idx1-ubyte"));
        let (shape, pixels) = idx(&images, 3)?;
        let (_, labels_read) = idx(&labels, 1)?;
        let shape = (shape[0], shape[1], shape[2]);
        if shape.0 != labels_read.len() {
            return Err(Error::malformed(
                labels.display().to_string(),
                "labels",
                format!("there are {} for {} images", labels_read.len(), shape.0),
            ));
        }
        let images = Array3::from_shape_vec(shape, pixels).map_err(|error| {
            Error::malformed(images.display().to_string(), "images", error.to_string())
        })?;
        Ok(Digits {
            images,
            labels: labels_read,
        })
    };
    Ok((read("train")?, read("t10k")?))
}

/// Sizes and content of a file of bytes in MNIST's own format: a magic number that holds the type (8:
/// bytes) and the number of axes, their sizes as big-endian 32-bit numbers, the bytes.
fn idx(path: &Path, axes: u8) -> Result<(Vec<usize>, Vec<u8>)> {
    let bytes = fs::read(path).map_err(|source| Error::io(path, source))?;
    let damaged = |reason: &str| Error::malformed(path.display().to_string(), "header", reason);
    let start = 4 + 4 * usize::from(axes);
    if bytes.len() < start || bytes[..4] != [0, 0, 8, axes] {
        return Err(damaged("not the magic number of such a file"));
    }
    let sizes = bytes[4..start].as_chunks::<4>().0;
    let shape: Vec<usize> = sizes
        .iter()
        .map(|size| u32::from_be_bytes(*size) as usize)
        .collect();
    let product = shape
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size));
    if product != Some(bytes.len() - start) {
        return Err(damaged("declares other sizes than its content has"));
    }
    Ok((shape, bytes[start..].to_vec()))
}

/// The English digits 0 to 9, one recording each. Bundled.
pub fn spoken_digits_en() -> Result<Vec<(usize, Recording)>> {
    let item = find("spoken-digits-en")?;
    (0..10)
        .map(|digit| {
            let file = bundled(item, &format!("{digit}.wav"))?;
            Ok((
                digit,
                wav::parse(file.bytes, &format!("{}:{}", item.name, file.name))?,
            ))
        })
        .collect()
}

/// The digits 0 to 9 in a language, one recording each.
pub fn spoken_digits(
    language: SpokenLanguage,
    progress: &Progress,
) -> Result<Vec<(usize, Recording)>> {
    let name = match language {
        SpokenLanguage::English => return spoken_digits_en(),
        SpokenLanguage::French => "spoken-digits-fr",
        SpokenLanguage::Spanish => "spoken-digits-es",
        SpokenLanguage::Italian => "spoken-digits-it",
    };
    let folder = get(name, progress)?;
    (0..10)
        .map(|digit| Ok((digit, wav::read(&folder.join(format!("{digit}.wav")))?)))
        .collect()
}

/// The functional atlas of C. elegans (Randi, Sharma, Dvali and Leifer 2023) in wild type, with the
/// anatomical connectome its package carries (White et al. 1986, Witvliet et al. 2021). Fetched.
pub fn worm_functional_atlas(progress: &Progress) -> Result<WormAtlas> {
    let folder = get("worm-functional-atlas", progress)?;
    let responses = hdf5::open(&folder.join("funatlas.h5"))?;
    let anatomy = hdf5::open(&folder.join("aconnectome_default.h5"))?;
    let names = responses.read_words("neuron_ids")?;
    let square = |file: &hdf5::File, path: &str| matrix::<f64>(file, path, names.len());
    Ok(WormAtlas {
        d_ff: square(&responses, "wt/dFF")?,
        q: square(&responses, "wt/q")?,
        observations: matrix::<u32>(&responses, "wt/occ1", names.len())?,
        chemical: square(&anatomy, "chem")?,
        gap: square(&anatomy, "gap")?,
        names,
    })
}

fn matrix<T: Element>(file: &hdf5::File, path: &str, size: usize) -> Result<Array2<T>> {
    let array = file.read::<T>(path)?;
    let found = array.shape().to_vec();
    match array.into_dimensionality::<Ix2>() {
        Ok(matrix) if matrix.dim() == (size, size) => Ok(matrix),
        _ => {
            let reason = format!("has shape {found:?}, expected {size} x {size}");
            Err(Error::malformed(file.name(), path, reason))
        }
    }
}

/// The connectome of the hermaphrodite as an edge list, which is a version of the tables of Cook et al.
/// 2019: where both have an entry, 99 in 100 agree. Fetched.
pub fn worm_connectome(progress: &Progress) -> Result<WormConnectome> {
    let path = get("worm-connectome", progress)?.join("herm_full_edgelist.csv");
    let damaged = |line: usize, reason: String| {
        Error::malformed(path.display().to_string(), format!("line {line}"), reason)
    };
    let text = fs::read_to_string(&path).map_err(|source| Error::io(&path, source))?;
    let mut names: Vec<String> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let mut place = |name: &str| {
        *places.entry(name.to_string()).or_insert_with(|| {
            names.push(name.to_string());
            names.len() - 1
        })
    };
    let mut edges = Vec::new();
    for (line, text) in text.lines().enumerate().skip(1) {
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        let [source, target, weight, kind] = cells[..] else {
            return Err(damaged(
                line + 1,
                format!("{} cells, expected 4", cells.len()),
            ));
        };
        let weight: f64 = weight
            .parse()
            .map_err(|_| damaged(line + 1, format!("{weight:?}")))?;
        let chemical = match kind {
            "chemical" => true,
            "electrical" => false,
            other => return Err(damaged(line + 1, format!("unknown kind {other:?}"))),
        };
        edges.push((place(source), place(target), weight, chemical));
    }
    let mut chemical = Array2::zeros((names.len(), names.len()));
    let mut electrical = Array2::zeros((names.len(), names.len()));
    for (source, target, weight, is_chemical) in edges {
        let matrix = if is_chemical {
            &mut chemical
        } else {
            &mut electrical
        };
        matrix[[target, source]] += weight;
    }
    Ok(WormConnectome {
        names,
        chemical,
        electrical,
    })
}

/// A hundred faces, then a hundred patches of the backgrounds of the same photographs. Fetched.
pub fn face_patches(progress: &Progress) -> Result<FacePatches> {
    const EACH: usize = 100;
    const SIDE: usize = 25;
    let path = get("face-patches", progress)?.join("lfw_subset.npy");
    let name = path.display().to_string();
    let array = numpy::read_array(&path)?.into_f64(&name)?;
    match array.into_dimensionality::<Ix3>() {
        Ok(images) if images.dim() == (2 * EACH, SIDE, SIDE) => Ok(FacePatches {
            images,
            is_face: (0..2 * EACH).map(|patch| patch < EACH).collect(),
        }),
        _ => {
            let reason = format!("expected {} patches of {SIDE} x {SIDE} pixels", 2 * EACH);
            Err(Error::malformed(name, "shape", reason))
        }
    }
}

/// Two recordings of a grasshopper's auditory receptor. Fetched.
pub fn grasshopper_auditory(progress: &Progress) -> Result<[Grasshopper; 2]> {
    let folder = get("grasshopper-auditory", progress)?;
    Ok([grasshopper(&folder, 1)?, grasshopper(&folder, 2)?])
}

fn grasshopper(folder: &Path, number: usize) -> Result<Grasshopper> {
    const SECONDS: f64 = 10.0;
    const RATE: f64 = 20_000.0;
    const MICROSECONDS: f64 = 1e6;
    let name = format!("grasshopper {number}");
    let spikes = columns(
        &folder.join(format!("grasshopper_spike_times{number}.txt")),
        1,
    )?;
    let times = spikes.iter().map(|time| time / MICROSECONDS).collect();
    let observed = Intervals::new(vec![(0.0, SECONDS)])?;
    let spikes = SpikeTrains::new(
        &name,
        vec!["receptor".to_string()],
        vec![times],
        Some(observed),
    )?;
    // Every line is a time and an amplitude; times are every 50 µs.
    let lines = columns(&folder.join(format!("grasshopper_stimulus{number}.txt")), 2)?;
    let amplitudes: Vec<f32> = lines.chunks_exact(2).map(|pair| pair[1] as f32).collect();
    let samples = Array2::from_shape_vec((amplitudes.len(), 1), amplitudes)
        .map_err(|error| Error::malformed(name.as_str(), "stimulus", error.to_string()))?;
    let clock = Clock::Regular {
        start: 0.0,
        rate: RATE,
    };
    let stimulus = Recording::new(&name, samples, vec!["amplitude".to_string()], clock, "")?;
    Ok(Grasshopper { spikes, stimulus })
}

/// The numbers of a text file with `width` of them a line; lines that begin with `#` are comments.
fn columns(path: &Path, width: usize) -> Result<Vec<f64>> {
    let text = fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    let mut values = Vec::new();
    for (line, text) in text.lines().enumerate() {
        if text.starts_with('#') || text.trim().is_empty() {
            continue;
        }
        let before = values.len();
        for cell in text.split_whitespace() {
            values.push(cell.parse().map_err(|_| {
                let line = format!("line {}", line + 1);
                Error::malformed(
                    path.display().to_string(),
                    line,
                    format!("not a number: {cell:?}"),
                )
            })?);
        }
        if values.len() - before != width {
            let (line, reason) = (
                format!("line {}", line + 1),
                format!("expected {width} numbers"),
            );
            return Err(Error::malformed(path.display().to_string(), line, reason));
        }
    }
    Ok(values)
}

fn bundled(item: &'static Item, name: &str) -> Result<&'static BundledFile> {
    let files = match item.source {
        Source::Bundled(files) => files,
        Source::Package(_) => &[],
    };
    files
        .iter()
        .find(|file| file.name == name)
        .ok_or_else(|| Error::NotFound {
            file: item.name.to_string(),
            what: "file",
            name: name.to_string(),
            available: files.iter().map(|file| file.name.to_string()).collect(),
        })
}
