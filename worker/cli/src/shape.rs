//! The JSON that verbs print: field names here are a promise to scripts.

mod body;
mod dead_row;
mod delivered;
mod epoch_row;
mod exported;
mod fsck_row;
mod history;
mod outcome;
mod queue_row;
mod shown;
mod worker_row;

pub(crate) use body::BodyShape;
pub(crate) use dead_row::DeadRow;
pub(crate) use delivered::Delivered;
pub(crate) use epoch_row::{AggregateRow, EpochRow, PartRow};
pub(crate) use exported::Exported;
pub(crate) use fsck_row::FsckRow;
pub(crate) use history::{HistoryRow, history};
pub(crate) use outcome::{ChangedRow, SettledRow};
pub(crate) use queue_row::QueueRow;
pub(crate) use shown::{Peeked, Shown};
pub(crate) use worker_row::WorkerRow;
