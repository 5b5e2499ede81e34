//! The real binary on real files.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on panics; its stage is part of it"
)]

mod stage;

mod aggregates;
mod bad_input;
mod bad_routes;
mod dead;
mod dead_edit;
mod enqueue;
mod exit_codes;
mod help;
mod manage;
mod move_groups;
mod move_progress;
mod operators;
mod pipes;
mod receive;
mod rights;
mod routes;
mod run;
mod settings;
mod shapes;
mod signals;
mod unread;
