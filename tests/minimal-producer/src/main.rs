//! Enqueues one job: `minimal-producer URL`.

use longshore::prelude::*;

#[derive(Serialize, Deserialize)]
struct Greet {
    name: String,
}

impl Job for Greet {
    const KIND: &'static str = "greet";
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or("sqlite://./longshore.db".into());
    let queue = longshore::connect(&url).await?.queue("mail")?;
    let name = "Ada".to_owned();
    let stored = queue.enqueue(Greet { name }).await?;
    println!("{}", stored.id);
    Ok(())
}
