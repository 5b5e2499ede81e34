//! The real binary on real files.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on panics; its stage is part of it"
)]

#[path = "cli/stage.rs"]
mod stage;

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bad_routes.rs"]
mod bad_routes;
#[path = "cli/dead.rs"]
mod dead;
#[path = "cli/dead_edit.rs"]
mod dead_edit;
#[path = "cli/enqueue.rs"]
mod enqueue;
#[path = "cli/exit_codes.rs"]
mod exit_codes;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/manage.rs"]
mod manage;
#[path = "cli/move_groups.rs"]
mod move_groups;
#[path = "cli/move_progress.rs"]
mod move_progress;
#[path = "cli/operators.rs"]
mod operators;
#[path = "cli/pipes.rs"]
mod pipes;
#[path = "cli/receive.rs"]
mod receive;
#[path = "cli/rights.rs"]
mod rights;
#[path = "cli/routes.rs"]
mod routes;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/shapes.rs"]
mod shapes;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/unread.rs"]
mod unread;
