//! Handlers share the program's state, or a part of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longshore::prelude::*;
use longshore::test_kit::TestWorker;

#[derive(Clone, Default)]
struct App {
    total: Total,
    currency: &'static str,
}

#[derive(Clone, Default)]
struct Total(Arc<AtomicU64>);

// With this a handler may ask for the total alone.
impl FromRef<App> for Total {
    fn from_ref(app: &App) -> Self {
        app.total.clone()
    }
}

#[derive(Serialize, Deserialize)]
struct Payment {
    amount: u64,
}

impl Job for Payment {
    const KIND: &'static str = "payment";
}

async fn book(job: Payment, State(total): State<Total>, State(app): State<App>) {
    let sum = total.0.fetch_add(job.amount, Ordering::Relaxed) + job.amount;
    println!("{sum} {}", app.currency);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App {
        currency: "EUR",
        ..App::default()
    };
    let worker = TestWorker::new().await?.with_state(app).handle(book);
    for amount in [20, 22] {
        worker.run_one(Payment { amount }).await?;
    }
    Ok(())
}
