//! The least there is: a job, a queue, a worker.

use longshore::prelude::*;
use tokio_util::sync::CancellationToken;

#[derive(Serialize, Deserialize)]
struct Greet {
    name: String,
}

impl Job for Greet {
    const KIND: &'static str = "greet";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = longshore::connect("memory://hello").await?;
    let name = "Ada".to_owned();
    connection.queue("mail")?.enqueue(Greet { name }).await?;

    // A real worker says `.run()`, which ends at SIGTERM; this one ends after its first job.
    let done = CancellationToken::new();
    let end = done.clone();
    let greet = move |job: Greet| {
        println!("Hello, {}!", job.name);
        done.cancel();
        async {}
    };
    Worker::builder(connection)
        .queue("mail", |q| q.handle(greet))
        .run_until(end.cancelled())
        .await?;
    Ok(())
}
