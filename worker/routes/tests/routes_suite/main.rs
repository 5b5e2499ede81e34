//! Route files through the public API: real files, real programs, real stores.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod aggregates;
mod any_bytes;
mod bad_files;
mod bad_steps;
mod exec_steps;
mod http_server;
mod http_steps;
mod intakes;
mod refusals;
mod run;
mod samples;
mod stage;
mod steps;
