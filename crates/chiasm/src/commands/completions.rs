//! `chiasm completions`: tab completion for a shell.

use clap::{Args, CommandFactory, ValueEnum};

use crate::failure::Outcome;
use crate::terminal;

/// Print tab completions for a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  chiasm completions bash > ~/.local/share/bash-completion/completions/chiasm
  chiasm completions zsh > ~/.zfunc/_chiasm
  chiasm completions fish > ~/.config/fish/completions/chiasm.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

/// Shells that can be completed.
#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

pub(crate) fn execute(arguments: CompletionsArguments) -> Outcome {
    use clap_complete::Shell as Generator;
    let generator = match arguments.shell {
        Shell::Bash => Generator::Bash,
        Shell::Zsh => Generator::Zsh,
        Shell::Fish => Generator::Fish,
        Shell::Powershell => Generator::PowerShell,
        Shell::Elvish => Generator::Elvish,
    };
    let mut text = Vec::new();
    clap_complete::generate(
        generator,
        &mut crate::Arguments::command(),
        "chiasm",
        &mut text,
    );
    terminal::say(String::from_utf8_lossy(&text).trim_end())
}
