//! The command line of longshore.

mod admin;
mod app;
mod args;
mod bench;
mod confirm;
mod epoch_filter;
mod error;
mod exit;
mod identity;
mod input;
mod output;
mod parse;
mod progress;
mod route_files;
mod session;
mod settings;
mod shape;
mod signals;
mod telemetry;
mod verbs;
mod where_filter;

use std::process::ExitCode;

fn main() -> ExitCode {
    app::run(std::env::args_os()).into()
}
