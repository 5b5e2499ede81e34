//! A worker inside another program: it runs beside the rest, and the program says when to end.

use longshore::prelude::*;
use tokio::sync::oneshot;

#[derive(Serialize, Deserialize)]
struct Email {
    to: String,
}

impl Job for Email {
    const KIND: &'static str = "email";
}

async fn send(job: Email) {
    println!("to {}", job.to);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = longshore::connect("memory://embedded").await?;
    let queue = connection.queue("mail")?;
    let worker = Worker::builder(connection)
        .concurrency(1)
        .drain(Duration::from_secs(5))
        .queue("mail", |q| q.handle(send))
        .build()?;
    let handle = worker.handle();
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(worker.run_until(async {
        let _ = ended.await;
    }));

    for to in ["ada@example.org", "grace@example.org"] {
        queue.enqueue(Email { to: to.to_owned() }).await?;
    }
    while handle.stats().done.acked < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let _ = end.send(());
    let report = running.await??;
    println!("{} acked, {} dead", report.acked, report.dead);
    Ok(())
}
