//! The worker of the test kit.

use std::fmt::{self, Debug};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use longshore_core::{Clock, Job, ManualClock, OpenOptions, StoredMessage, Timestamp};

use super::stepping::step;
use super::{Ran, TestError};
use crate::job::lock;
use crate::runtime::QueueRuntime;
use crate::worker::{BuildError, QueueConfig, Worker};
use crate::{Connection, Handler, Queue, connect_with};

/// The queue that handlers of a test worker consume.
const QUEUE: &str = "test";
/// A drain that runs this many messages goes round in circles.
const DRAIN_MAX: usize = 100_000;
/// Messages that one call looks at.
const PAGE: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

/// Runs handlers one message at a time on a memory store of its own, whose clock stands still.
///
/// ```
/// use longshore::prelude::*;
/// use longshore::test_kit::{Ran, TestWorker};
///
/// #[derive(Serialize, Deserialize)]
/// struct Greet { name: String }
/// impl Job for Greet { const KIND: &'static str = "greet"; }
///
/// async fn greet(job: Greet) -> Result<(), Failure> {
///     if job.name.is_empty() {
///         return Err(Failure::permanent("nobody to greet"));
///     }
///     Ok(())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let worker = TestWorker::new().await?.handle(greet);
/// assert_eq!(worker.run_one(Greet { name: "Ada".into() }).await?, Ran::Acked);
/// worker.run_one(Greet { name: String::new() }).await?;
/// assert_eq!(worker.dead_letters().await?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct TestWorker<S = ()> {
    connection: Connection,
    clock: Arc<ManualClock>,
    queue: Queue,
    /// What was described, until the first message is run.
    described: Mutex<Option<QueueConfig<S>>>,
    built: OnceLock<Arc<QueueRuntime>>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl TestWorker<()> {
    /// A worker without handlers on an empty store.
    pub async fn new() -> Result<Self, TestError> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let clock = Arc::new(ManualClock::default());
        let mut options = OpenOptions::default();
        options.clock = Some(clock.clone());
        let connection = connect_with(&format!("memory://test-kit-{number}"), options).await?;
        let queue = connection.queue(QUEUE).map_err(BuildError::from)?;
        Ok(Self::over(connection, clock, queue, QueueConfig::new(())))
    }

    /// Gives handlers their state. Comes before the handlers, which are checked against it.
    #[must_use]
    pub fn with_state<S: Clone + Send + Sync + 'static>(self, state: S) -> TestWorker<S> {
        TestWorker::over(
            self.connection,
            self.clock,
            self.queue,
            QueueConfig::new(state),
        )
    }
}

impl<S: Clone + Send + Sync + 'static> TestWorker<S> {
    fn over(
        connection: Connection,
        clock: Arc<ManualClock>,
        queue: Queue,
        config: QueueConfig<S>,
    ) -> Self {
        Self {
            connection,
            clock,
            queue,
            described: Mutex::new(Some(config)),
            built: OnceLock::new(),
        }
    }

    /// Adds a handler.
    #[must_use]
    pub fn handle<H, A>(self, handler: H) -> Self
    where
        H: Handler<A, S>,
        A: 'static,
    {
        self.configure(|queue| queue.handle(handler))
    }

    /// Adds handlers, a policy, clauses, layers, as a worker's queue takes them. Comes before the
    /// first message is run.
    #[must_use]
    pub fn configure(self, configure: impl FnOnce(QueueConfig<S>) -> QueueConfig<S>) -> Self {
        {
            let mut described = lock(&self.described);
            *described = described.take().map(configure);
        }
        self
    }

    /// The store. Handlers enqueue into it, and a test may look at it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The queue the handlers consume.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The time the store sees.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock, so that delays and back-offs pass.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Enqueues a job and runs it once; what is due before it is run first.
    pub async fn run_one<J: Job>(&self, job: J) -> Result<Ran, TestError> {
        let enqueued = self.queue.enqueue(job).await?;
        let queue = self.runtime()?;
        while let Some((id, ran)) = step(queue).await? {
            if id == enqueued.id {
                return Ok(ran);
            }
        }
        Err(TestError::NotDue)
    }

    /// Runs the next message that is due; `None` if nothing is.
    pub async fn run_next(&self) -> Result<Option<Ran>, TestError> {
        let stepped = step(self.runtime()?).await?;
        Ok(stepped.map(|(_, ran)| ran))
    }

    /// Runs everything that is due now, what the handlers add included.
    pub async fn drain(&self) -> Result<Vec<Ran>, TestError> {
        let queue = self.runtime()?;
        let mut all = Vec::new();
        while let Some((_, ran)) = step(queue).await? {
            all.push(ran);
            if all.len() >= DRAIN_MAX {
                return Err(TestError::EndlessDrain);
            }
        }
        Ok(all)
    }

    /// The live jobs of a type in a queue, in queue order.
    pub async fn enqueued<J: Job>(&self, queue: impl AsRef<str>) -> Result<Vec<J>, TestError> {
        let queue = self.connection.queue(queue).map_err(BuildError::from)?;
        let admin = &self.connection.backend().admin;
        let mut jobs = Vec::new();
        let mut after = None;
        loop {
            let page = admin.peek(queue.name(), after.as_ref(), PAGE).await?;
            let messages = page.items.iter().filter_map(StoredMessage::message);
            let of_kind = messages.filter(|message| message.kind.as_str() == J::KIND);
            for message in of_kind {
                jobs.push(serde_json::from_slice(&message.body).map_err(TestError::Decode)?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(jobs);
            }
        }
    }

    /// Fails the test unless exactly this job is live in a queue, at least once.
    ///
    /// # Panics
    ///
    /// When it is not there; the message lists what is.
    pub async fn assert_enqueued<J: Job + PartialEq + Debug>(
        &self,
        queue: impl AsRef<str>,
        job: &J,
    ) {
        let found = self.enqueued::<J>(queue.as_ref()).await;
        let is_there = found.as_ref().is_ok_and(|jobs| jobs.contains(job));
        assert!(
            is_there,
            "{job:?} is not in queue {}; there is {found:?}",
            queue.as_ref()
        );
    }

    /// The dead letters, oldest first, at most a thousand.
    pub async fn dead_letters(&self) -> Result<Vec<StoredMessage>, TestError> {
        let admin = &self.connection.backend().admin;
        let page = admin.dead_letters(self.queue.name(), None, PAGE).await?;
        Ok(page.items)
    }

    fn runtime(&self) -> Result<&Arc<QueueRuntime>, TestError> {
        if let Some(built) = self.built.get() {
            return Ok(built);
        }
        let described = lock(&self.described).take();
        let config = described.ok_or(TestError::Described)?;
        let builder = Worker::builder(self.connection.clone()).with_state(config.state().clone());
        let mut queues = builder.queue(QUEUE, |_| config).build()?.into_queues();
        let queue = queues.pop().ok_or(BuildError::NoQueue)?;
        Ok(self.built.get_or_init(|| queue))
    }
}

impl<S> Debug for TestWorker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestWorker({:?})", self.queue)
    }
}
