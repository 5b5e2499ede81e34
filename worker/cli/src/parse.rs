//! Values of options: each parser answers a value or the sentence that clap prints.

mod age;
mod assignment;
mod count;
mod duration;
mod header;
mod name;
mod rate;
mod time;

pub(crate) use age::TimeOrAge;
pub(crate) use assignment::Assignment;
pub(crate) use count::count;
pub(crate) use duration::{Lease, Span, Wait, span};
pub(crate) use header::HeaderPair;
pub(crate) use name::{
    aggregate, aggregate_key, dedup_key, group, kind, message_id, queue, receipt,
};
pub(crate) use rate::Rate;
pub(crate) use time::{rfc3339, time};
