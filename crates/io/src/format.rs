//! Telling formats apart: by content first, by name where content cannot tell.

use std::fmt;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Serialize;

use crate::{Error, Result, fif, nifti, numpy, source};

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A NumPy array.
    Npy,
    /// An archive of NumPy arrays.
    Npz,
    /// Comma-separated values, or another delimiter.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// Named tensors.
    Safetensors,
    /// RIFF audio.
    Wav,
    /// A brain image.
    Nifti,
    /// A polygraphic recording of 16 bits.
    Edf,
    /// A polygraphic recording of 24 bits.
    Bdf,
    /// A recording, epochs or evoked responses of M/EEG.
    Fif,
    /// Hierarchical data.
    Hdf5,
    /// Neurophysiology in HDF5.
    Nwb,
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Format::Npy => "NumPy array",
            Format::Npz => "NumPy archive",
            Format::Csv => "delimited text",
            Format::Tsv => "tab-separated text",
            Format::Safetensors => "safetensors",
            Format::Wav => "WAVE audio",
            Format::Nifti => "NIfTI image",
            Format::Edf => "EDF recording",
            Format::Bdf => "BDF recording",
            Format::Fif => "FIF file",
            Format::Hdf5 => "HDF5",
            Format::Nwb => "NWB (HDF5)",
        })
    }
}

/// How much of a file is looked at: enough for any header below and HDF5's usual places.
const LOOK: u64 = 4096;

/// The format of a file.
///
/// Fails where neither content nor name is known, and where the name promises a binary format that
/// the content is not.
pub fn detect(path: &Path) -> Result<Format> {
    let (file, _) = source::open(path)?;
    let mut head = Vec::new();
    file.take(LOOK)
        .read_to_end(&mut head)
        .map_err(|error| Error::io(path, error))?;
    detect_bytes(&head, &source::name_of(path))
}

/// The format of a file from its first bytes (4096 are enough) and its name.
pub fn detect_bytes(head: &[u8], name: &str) -> Result<Format> {
    let lower = name.to_ascii_lowercase();
    let ending = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    if let Some(format) = by_content(head) {
        return Ok(if format == Format::Hdf5 && ending(&[".nwb"]) {
            Format::Nwb
        } else {
            format
        });
    }
    let promised = [
        (&[".npy"][..], Format::Npy),
        (&[".npz"], Format::Npz),
        (&[".safetensors"], Format::Safetensors),
        (&[".wav"], Format::Wav),
        (&[".nii", ".nii.gz", ".hdr", ".img"], Format::Nifti),
        (&[".edf"], Format::Edf),
        (&[".bdf"], Format::Bdf),
        (&[".fif", ".fif.gz"], Format::Fif),
        (&[".h5", ".hdf5"], Format::Hdf5),
        (&[".nwb"], Format::Nwb),
    ]
    .into_iter()
    .find(|(endings, _)| ending(endings))
    .map(|(_, format)| format);
    if let Some(format) = promised {
        // The data half of a pair has no header of its own; Analyze has the size of one, and is
        // refused by name where images are read.
        if ending(&[".img"]) || format == Format::Nifti && nifti::has_header_size(head) {
            return Ok(format);
        }
        let reason = match known_stranger(head) {
            Some(stranger) => format!("named like a {format}, but holds {stranger}"),
            None if head.is_empty() => format!("named like a {format}, but is empty"),
            None => format!("named like a {format}, but does not begin like one"),
        };
        return Err(Error::UnknownFormat {
            file: name.to_string(),
            reason,
        });
    }
    if let Some(stranger) = known_stranger(head) {
        let reason = format!("is not read, because it holds {stranger}");
        return Err(Error::UnknownFormat {
            file: name.to_string(),
            reason,
        });
    }
    if ending(&[".tsv"]) {
        return Ok(Format::Tsv);
    }
    if ending(&[".csv", ".txt"]) {
        return Ok(Format::Csv);
    }
    let reason = "neither its content nor its name is a format that is read (.npy, .npz, .csv, \
                  .tsv, .safetensors, .wav, .nii, .nii.gz, .edf, .bdf, .fif, .fif.gz, .h5, .nwb)";
    Err(Error::UnknownFormat {
        file: name.to_string(),
        reason: reason.to_string(),
    })
}

fn by_content(head: &[u8]) -> Option<Format> {
    let at = |offset: usize, bytes: &[u8]| {
        head.get(offset..)
            .is_some_and(|rest| rest.starts_with(bytes))
    };
    if at(0, numpy::MAGIC) {
        Some(Format::Npy)
    } else if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") {
        Some(Format::Npz)
    } else if [0, 512, 1024, 2048]
        .iter()
        .any(|&offset| at(offset, b"\x89HDF\r\n\x1a\n"))
    {
        Some(Format::Hdf5)
    } else if (at(0, b"RIFF") || at(0, b"RIFX") || at(0, b"RF64")) && at(8, b"WAVE") {
        Some(Format::Wav)
    } else if at(0, b"\xffBIOSEMI") {
        Some(Format::Bdf)
    } else if at(0, b"0       ") && head.len() >= 256 {
        Some(Format::Edf)
    } else if head.starts_with(fif::BEGINNING) {
        Some(Format::Fif)
    } else if nifti::looks_like_header(head) {
        Some(Format::Nifti)
    } else if let Some(inside) = unpacked(head) {
        if inside.starts_with(fif::BEGINNING) {
            Some(Format::Fif)
        } else {
            nifti::looks_like_header(&inside).then_some(Format::Nifti)
        }
    } else if head.get(8) == Some(&b'{') && at(3, &[0; 5]) {
        // A header length below 16 MiB, and the JSON it counts.
        Some(Format::Safetensors)
    } else {
        None
    }
}

/// The beginning of what a gzip stream holds.
fn unpacked(head: &[u8]) -> Option<Vec<u8>> {
    if !head.starts_with(&[0x1f, 0x8b]) {
        return None;
    }
    let mut inside = Vec::new();
    // The end of the excerpt is no error: what came out before it counts.
    let _ = MultiGzDecoder::new(head).take(540).read_to_end(&mut inside);
    Some(inside)
}

/// Formats that people bring and that are not read.
fn known_stranger(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [0x80, 2..=5, ..] => "a Python pickle, which can run code; save a plain array",
        [0x1f, 0x8b, ..] => "gzip-compressed data of another kind; unpack it first",
        [b'B', b'Z', b'h', ..] => "bzip2-compressed data; unpack it first",
        [b'7', b'z', 0xbc, 0xaf, ..] => "a 7-zip archive; unpack it first",
        [b'G', b'G', b'U', b'F', ..] => "a GGUF checkpoint",
        [b'f', b'L', b'a', b'C', ..] => "FLAC audio; convert it to WAVE",
        [b'O', b'g', b'g', b'S', ..] => "Ogg audio; convert it to WAVE",
        [b'I', b'D', b'3', ..] => "MP3 audio; convert it to WAVE",
        _ if head.starts_with(b"MATLAB 5.0") => {
            "a MATLAB 5 file; save it with -v7.3, which is HDF5, or as .npy"
        }
        _ if head.starts_with(b"\x89PNG") => "a PNG image",
        _ => return None,
    })
}
