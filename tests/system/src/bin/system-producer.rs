//! A producer that says what it tries before a call and what is stored after it.

use std::error::Error;
use std::path::Path;

use longshore_system_tests::{Act, Ledger, ProducerOrder, Work};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1).ok_or("the order is missing")?;
    let order: ProducerOrder = serde_json::from_str(&argument)?;
    let ledger = Ledger::open(Path::new(&order.ledger))?;
    let queue = longshore::connect(&order.store)
        .await?
        .queue(&order.queue)?;
    let end = order.first + order.jobs;
    let mut next = order.first;
    let mut size = 1;
    while next < end {
        let keys = next..end.min(next + size);
        ledger.tried(keys.clone())?;
        let jobs = keys.clone().map(|key| Work::new(key, Act::Take(0)));
        queue.enqueue_batch(jobs).await?.require_all()?;
        ledger.stored(keys.clone())?;
        if keys.start == order.first
            && let Some(gate) = &order.gate
        {
            std::fs::File::open(gate)?.lock_shared()?;
        }
        next = keys.end;
        // Calls of every size, one after the other.
        size = size % order.batch_max + 1;
    }
    Ok(())
}
