//! How many slots are busy, told again and again.

use std::sync::Arc;
use std::time::Duration;

use crate::runtime::shared::Shared;

/// How often. Idle workers must cost nothing that can be measured.
const EVERY: Duration = Duration::from_secs(2);

/// Sets the gauges of a worker. Never returns.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let free = shared.slots.available_permits();
        let busy = shared.concurrency.saturating_sub(free);
        metrics::gauge!("longshore_slots", "state" => "busy").set(busy as f64);
        metrics::gauge!("longshore_slots", "state" => "free").set(free as f64);
        tokio::time::sleep(EVERY).await;
    }
}
