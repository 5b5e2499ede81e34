//! `extend`: extends leases.

use longshore::core::Settled;

use super::settle::{by_queue, in_parts, print, receipts_at};
use crate::args::ExtendArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::session::Session;

pub(super) async fn perform(args: ExtendArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let mut outcomes = vec![Settled::LeaseLost; args.receipt.len()];
    for (queue, places) in by_queue(&args.receipt) {
        let receipts = receipts_at(&args.receipt, &places);
        let queues = &connection.backend().queues;
        let extended = in_parts(&connection, &receipts, async |part| {
            queues.extend(queue, part, args.lease.0).await
        })
        .await?;
        for (place, outcome) in places.into_iter().zip(extended) {
            outcomes[place] = outcome;
        }
    }
    print(&args.receipt, &outcomes, session)
}
