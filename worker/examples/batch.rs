//! Many jobs in one call, each with its own outcome.

use longshore::prelude::*;

#[derive(Serialize, Deserialize)]
struct Row {
    number: u32,
    text: String,
}

impl Job for Row {
    const KIND: &'static str = "row";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = longshore::connect("memory://batch").await?.queue("rows")?;
    let rows = (0..2500).map(|number| Row {
        number,
        // One of them is far too large for any queue.
        text: "x".repeat(if number == 1234 { 20_000_000 } else { 10 }),
    });
    let outcome = queue.enqueue_batch(rows).priority(Lane::Low).await?;
    println!("{} stored, {} missing", outcome.stored(), outcome.missing());
    if let Err(error) = outcome.require_all() {
        println!("{error}");
    }
    Ok(())
}
