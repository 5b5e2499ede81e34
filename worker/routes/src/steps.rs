//! What a route does with a message.

mod address;
mod client;
mod exec;
mod file;
mod find_program;
mod forward;
mod http;
mod input;
mod log;
mod output_log;
mod step;

pub(super) use client::Clients;
pub(super) use forward::Child;
pub(super) use input::{Input, Services};
pub(super) use step::{Action, Step};
