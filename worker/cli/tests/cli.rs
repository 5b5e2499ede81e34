//! The real binary on real files.

#[path = "cli/stage.rs"]
mod stage;

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/dead.rs"]
mod dead;
#[path = "cli/enqueue.rs"]
mod enqueue;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/manage.rs"]
mod manage;
#[path = "cli/pipes.rs"]
mod pipes;
#[path = "cli/receive.rs"]
mod receive;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/shapes.rs"]
mod shapes;
