//! A producer that says what it tries before a call and what is stored after it.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use longshore::Queue;
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
        match store(&queue, jobs).await {
            Ok(()) => ledger.stored(keys.clone())?,
            Err(error) if order.patient => println!("{error}"),
            Err(error) => return Err(error),
        }
        if keys.start == order.first
            && let Some(gate) = &order.gate
        {
            std::fs::File::open(gate)?.lock_shared()?;
        }
        next = keys.end;
        // Load of a size that does not depend on how fast the store is; nobody waits for it.
        tokio::time::sleep(Duration::from_millis(order.pace_ms)).await;
        // Calls of every size, one after the other.
        size = size % order.batch_max + 1;
    }
    Ok(())
}

async fn store(queue: &Queue, jobs: impl Iterator<Item = Work>) -> Result<(), Box<dyn Error>> {
    queue.enqueue_batch(jobs).await?.require_all()?;
    Ok(())
}
