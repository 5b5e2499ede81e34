//! The verbs.

use clap::Subcommand;

use super::{
    AggregatesArgs, BackupArgs, CancelArgs, CompletionsArgs, DeadArgs, DeleteArgs, DoctorArgs,
    EnqueueArgs, ExtendArgs, FsckArgs, InitArgs, MoveArgs, PauseArgs, PeekArgs, PurgeArgs,
    QueuesArgs, ReceiveArgs, RescheduleArgs, ResumeArgs, RoutesArgs, RunArgs, SchemaArgs,
    SettleArgs, ShowArgs,
};
use crate::bench::BenchArgs;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Store a message, or many from a stream
    Enqueue(Box<EnqueueArgs>),
    /// Write a route file to begin with
    Init(InitArgs),
    /// Run the routes of route files
    Run(RunArgs),
    /// Lease a batch by hand, or work it with a program
    Receive(ReceiveArgs),
    /// End deliveries: ack, retry, release or dead-letter
    Settle(SettleArgs),
    /// Extend leases
    Extend(ExtendArgs),
    /// Show depths, oldest age, settings
    Queues(QueuesArgs),
    /// Look at messages without leasing them
    Peek(PeekArgs),
    /// Look at one message
    Show(ShowArgs),
    /// Remove messages that no worker has yet
    Cancel(CancelArgs),
    /// Give messages that no worker has another due time
    Reschedule(RescheduleArgs),
    /// List, show, redrive, discard, export or import dead letters
    Dead(DeadArgs),
    /// List, show, close or discard what is being collected
    Aggregates(AggregatesArgs),
    /// Remove all waiting and delayed messages of a queue
    Purge(PurgeArgs),
    /// Forget a queue in which nothing is
    Delete(DeleteArgs),
    /// Move all messages of a queue to another queue or store
    Move(MoveArgs),
    /// Stop receiving from a queue, everywhere
    Pause(PauseArgs),
    /// End a pause
    Resume(ResumeArgs),
    /// Check, show or explain route files
    Routes(RoutesArgs),
    /// List workers and their running jobs
    #[command(after_help = "Example:\n  longshore workers --json")]
    Workers,
    /// Check the store and what is stuck in it
    Doctor(DoctorArgs),
    /// Prove that each message is in exactly one state, and mend what is not
    Fsck(FsckArgs),
    /// Copy a store that is one file while it is used
    Backup(BackupArgs),
    /// Measure a store against the raw floor of its driver
    Bench(BenchArgs),
    /// Print the schema of route files or of a store, or apply it
    Schema(SchemaArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}
