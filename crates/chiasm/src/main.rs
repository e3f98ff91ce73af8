//! The command line: parses arguments, runs a command, turns errors into a sentence and an exit code.

mod commands;
mod failure;
mod output_folder;
mod resolve;
mod runner;
mod settings;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;

/// Keeps freed pages, on huge ones: `.cargo/config.toml` says how and why.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Neuroscience and AI on one workbench: fit, compare, decode, look inside, report.
#[derive(Parser)]
#[command(name = "chiasm", version, about, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chiasm run                        the tour: one quick study per family, one report
  chiasm run trsa --scale standard  one study, larger
  chiasm studies                    what there is
  chiasm inspect recording.nwb      what is in a file
  chiasm compare a.npy b.npy        how similar two representations are
  chiasm encode --features f.npy --responses y.npy
                                    responses predicted from features

Exit codes: 0 done; 1 failed; 2 bad input or usage; 3 interrupted, resumable.";

fn main() -> ExitCode {
    match Arguments::parse().command.execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&failure.to_string());
            failure.exit_code()
        }
    }
}
