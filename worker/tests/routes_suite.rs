//! Route files through the public API: real files, real programs, real stores.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "routes_suite/any_bytes.rs"]
mod any_bytes;
#[path = "routes_suite/bad_files.rs"]
mod bad_files;
#[path = "routes_suite/bad_steps.rs"]
mod bad_steps;
#[path = "routes_suite/exec_steps.rs"]
mod exec_steps;
#[path = "routes_suite/http_server.rs"]
mod http_server;
#[path = "routes_suite/http_steps.rs"]
mod http_steps;
#[path = "routes_suite/intakes.rs"]
mod intakes;
#[path = "routes_suite/refusals.rs"]
mod refusals;
#[path = "routes_suite/run.rs"]
mod run;
#[path = "routes_suite/samples.rs"]
mod samples;
#[path = "routes_suite/stage.rs"]
mod stage;
#[path = "routes_suite/steps.rs"]
mod steps;
