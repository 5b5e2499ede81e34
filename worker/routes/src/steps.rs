//! What a route does with a message.

mod address;
pub(crate) mod aggregate;
mod client;
mod exec;
mod file;
mod find_program;
mod forward;
mod http;
mod input;
mod log;
mod output_log;
pub(crate) mod shortage;
mod step;
mod url;

pub(crate) use client::Clients;
pub(crate) use forward::Child;
pub(crate) use input::{Input, Services};
pub(crate) use step::{Action, Step};
