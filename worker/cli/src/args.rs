//! The command line: one file for each group of verbs.

mod aggregates;
mod backup;
mod cli;
mod complaint;
mod dead;
mod doctor;
mod due;
mod enqueue;
mod fsck;
mod global;
mod init;
mod look;
mod manage;
mod receive;
mod routes;
mod run;
mod schema;
mod settle;
mod verb;

pub(crate) use aggregates::{
    AggregatesArgs, AggregatesChangeArgs, AggregatesListArgs, AggregatesShowArgs, AggregatesVerb,
};
pub(crate) use backup::BackupArgs;
pub(crate) use cli::Cli;
pub(crate) use complaint::{complaint, verb_of};
pub(crate) use dead::{
    DeadArgs, DeadChangeArgs, DeadEdit, DeadExportArgs, DeadImportArgs, DeadListArgs,
    DeadRedriveArgs, DeadSelection, DeadShowArgs, DeadVerb, GroupBy,
};
pub(crate) use doctor::DoctorArgs;
pub(crate) use due::DueArgs;
pub(crate) use enqueue::{EnqueueArgs, MessageArgs, Priority};
pub(crate) use fsck::FsckArgs;
pub(crate) use global::GlobalArgs;
pub(crate) use init::InitArgs;
pub(crate) use look::{PeekArgs, QueuesArgs, ShowArgs};
pub(crate) use manage::{
    CancelArgs, DeleteArgs, MoveArgs, PauseArgs, PurgeArgs, RescheduleArgs, ResumeArgs,
};
pub(crate) use receive::ReceiveArgs;
pub(crate) use routes::{ExplainArgs, RouteFileArgs, RoutesArgs, RoutesVerb};
pub(crate) use run::RunArgs;
pub(crate) use schema::{CompletionsArgs, SchemaArgs, SchemaVerb};
pub(crate) use settle::{ExtendArgs, SettleArgs, SettleFate};
pub(crate) use verb::Verb;
