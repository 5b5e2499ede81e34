//! A worker that does what its jobs say and leaves a line for each moment.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore::extract::{Attempt, Lease, State};
use longshore::prelude::*;
use longshore_system_tests::{
    Act, Effect, EffectLog, LeaseLog, LeasedStart, Moment, Work, WorkerOrder,
};

#[derive(Clone)]
struct Scene(Arc<SceneParts>);

struct SceneParts {
    effects: EffectLog,
    leases: Option<LeaseLog>,
    go: PathBuf,
    life: String,
}

impl Scene {
    fn note(&self, moment: Moment, key: u64, attempt: u32) -> std::io::Result<()> {
        self.0.effects.write(&Effect {
            moment,
            key,
            attempt,
            life: self.0.life.clone(),
        })
    }
}

async fn work(
    job: Work,
    State(scene): State<Scene>,
    Attempt(attempt): Attempt,
    lease: Lease,
) -> Result<(), Failure> {
    scene.note(Moment::Start, job.key, attempt)?;
    if let Some(leases) = &scene.0.leases {
        leases.write(&LeasedStart {
            key: job.key,
            attempt,
            at: now(),
            until: lease.until().as_millis(),
            life: scene.0.life.clone(),
        })?;
    }
    match job.act {
        Act::Take(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Act::Die => std::process::abort(),
        Act::Hang => std::future::pending().await,
        Act::Wait => wait_for(&scene.0.go).await,
    }
    scene.note(Moment::End, job.key, attempt)?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock by which stores of this host end leases"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

async fn wait_for(file: &std::path::Path) {
    // The test is another process and the file is its only word; this paces the looks for it.
    while !file.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1).ok_or("the order is missing")?;
    let order: WorkerOrder = serde_json::from_str(&argument)?;
    let effects = PathBuf::from(&order.effects);
    let scene = Scene(Arc::new(SceneParts {
        effects: EffectLog::open(&effects)?,
        leases: order
            .leases
            .as_deref()
            .map(Path::new)
            .map(LeaseLog::open)
            .transpose()?,
        go: effects.with_file_name("go"),
        life: order.life.clone(),
    }));
    let slots = usize::try_from(order.slots)?;
    let report = Worker::connect(&order.store)
        .await?
        .with_state(scene)
        .name(order.life)
        .concurrency(slots)
        .drain(Duration::from_millis(order.drain_ms))
        .queue(&order.queue, |q| {
            q.handle(work)
                .concurrency(slots)
                .lease(Duration::from_millis(order.lease_ms))
                .timeout(Duration::from_millis(order.timeout_ms))
                .policy(Policy::redeliveries(order.redeliveries).delay(Duration::from_millis(100)))
        })
        .run()
        .await?;
    println!("{report:?}");
    Ok(())
}
