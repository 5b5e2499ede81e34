//! A handler takes its job first and whatever else it asks for after it, checked by the compiler.

use longshore::prelude::*;
use longshore::test_kit::TestWorker;

#[derive(Serialize, Deserialize)]
struct Resize {
    url: String,
    width: u32,
}

impl Job for Resize {
    const KIND: &'static str = "resize";
}

async fn resize(
    job: Resize,
    Attempt(attempt): Attempt,
    headers: Headers,
    id: MessageId,
    lease: Lease,
) -> Result<(), Failure> {
    let customer = headers.get("customer").unwrap_or("nobody");
    println!(
        "resize {} to {} for {customer}, attempt {attempt}",
        job.url, job.width
    );
    assert!(!lease.is_lost(), "message {id} is still ours");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = TestWorker::new().await?.handle(resize);
    let job = Resize {
        url: "https://example.org/cat.png".to_owned(),
        width: 640,
    };
    worker
        .queue()
        .enqueue(job)
        .header("customer", "Ada")
        .await?;
    println!("{:?}", worker.drain().await?);
    Ok(())
}
