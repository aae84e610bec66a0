//! `boutique completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a shell's completions: `boutique completions bash > /etc/bash_completion.d/boutique`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) {
    clap_complete::generate(args.shell, &mut super::Cli::command(), "boutique", &mut std::io::stdout());
}
