//! `boutique`: every role of the order backend in one binary.

use std::process::ExitCode;

use clap::Parser;

mod addresses;
mod api;
mod audit;
mod background;
mod bench;
mod catalogue;
mod commands;
mod faults;
mod identities;
mod invented;
mod output;
mod planted;
mod raw_events;
mod rest;
mod roster;
mod server_sent;
mod stack;
mod stuck;
mod timeline;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    output::start_log(cli.is_server());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("boutique: cannot start the async runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match planted::plant().and_then(|()| runtime.block_on(cli.run())) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("boutique: {error:#}");
            ExitCode::FAILURE
        }
    }
}
