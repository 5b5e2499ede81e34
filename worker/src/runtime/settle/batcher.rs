//! Settles deliveries in batches, by whatever has gathered while the last call was under way.

use std::sync::Arc;

use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::settle::handle::{Command, Inbox};
use crate::runtime::settle::retry::{Batch, settle_all};

/// How often the settler lets other tasks run to gather more before it calls the store.
const GATHER_TURNS: usize = 3;

/// Settles what comes in until it is closed.
pub(crate) async fn run(mut inbox: Inbox, queue: Arc<QueueRuntime>) {
    let limits = queue.shared.connection.backend().queues.limits();
    let batch_max = limits.batch_max.get() as usize;
    let mut commands = Vec::with_capacity(batch_max.min(1024));
    let mut batch = Batch::default();
    while inbox.0.recv_many(&mut commands, batch_max).await > 0 {
        gather(&mut inbox, &queue, &mut commands, batch_max).await;
        for command in commands.drain(..) {
            match command {
                Command::Settle(settlement, note) => {
                    batch.settlements.push(settlement);
                    batch.notes.push(note);
                }
                Command::Flush(done) => {
                    settle_all(&queue, &mut batch).await;
                    let _ = done.send(());
                }
                Command::Close => {
                    settle_all(&queue, &mut batch).await;
                    return;
                }
            }
        }
        settle_all(&queue, &mut batch).await;
    }
}

/// Lets jobs that are about to end join this batch: a store call costs more than a moment.
async fn gather(inbox: &mut Inbox, queue: &QueueRuntime, commands: &mut Vec<Command>, max: usize) {
    for _ in 0..GATHER_TURNS {
        if queue.running.count() == 0 || commands.len() >= max {
            break;
        }
        tokio::task::yield_now().await;
    }
    while commands.len() < max
        && let Ok(command) = inbox.0.try_recv()
    {
        commands.push(command);
    }
}
