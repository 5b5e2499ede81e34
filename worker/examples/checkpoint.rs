//! An attempt leaves word for the next one, so that work done is not done again.

use longshore::prelude::*;
use longshore::test_kit::TestWorker;

#[derive(Serialize, Deserialize)]
struct Import {
    pages: u32,
}

impl Job for Import {
    const KIND: &'static str = "import";
}

async fn import(job: Import, checkpoint: Checkpoint, Attempt(n): Attempt) -> Result<(), Failure> {
    let start: u32 = checkpoint.read()?.unwrap_or(0);
    for page in start..job.pages {
        if n == 1 && page == 3 {
            return Err(Failure::retryable("the connection broke"));
        }
        println!("attempt {n}: page {page}");
        checkpoint.store(&(page + 1))?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = TestWorker::new().await?.handle(import);
    worker.run_one(Import { pages: 5 }).await?;
    worker.advance(Duration::from_secs(2));
    worker.drain().await?;
    Ok(())
}
