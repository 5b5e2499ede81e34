//! Several workers on one queue, killed and started again.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;

use crate::{Ending, Place, Process, WORKER, WorkerOrder};

/// The workers of a test, each with a name and a count of its lives.
#[derive(Debug)]
pub struct Fleet<'a> {
    place: &'a Place,
    order: WorkerOrder,
    workers: Vec<Worker>,
    killed: BTreeSet<String>,
}

#[derive(Debug)]
struct Worker {
    lives: u32,
    process: Option<Process>,
}

impl<'a> Fleet<'a> {
    /// A fleet that runs nothing yet. The life in `order` is filled in for each start.
    pub fn new(place: &'a Place, size: usize, order: WorkerOrder) -> Self {
        let worker = || Worker {
            lives: 0,
            process: None,
        };
        Self {
            place,
            order,
            workers: std::iter::repeat_with(worker).take(size).collect(),
            killed: BTreeSet::new(),
        }
    }

    /// An order for workers on the place's own queue file: 16 slots, leases of 2 s, nothing else
    /// near its limit.
    pub fn order(place: &Place, store: &str) -> WorkerOrder {
        WorkerOrder {
            store: store.into(),
            queue: "jobs".into(),
            effects: place.path("effects").display().to_string(),
            leases: None,
            life: String::new(),
            slots: 16,
            lease_ms: 2_000,
            timeout_ms: 60_000,
            drain_ms: 10_000,
            redeliveries: 6,
        }
    }

    /// Starts the worker, in its next life, unless it runs.
    pub fn start(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        if worker.process.is_some() {
            return;
        }
        worker.lives += 1;
        let mut order = self.order.clone();
        order.life = format!("w{index}.{}", worker.lives);
        let argument = serde_json::json!(order).to_string();
        worker.process = Some(Process::start(self.place, WORKER, [argument], &[]));
    }

    /// Starts all that do not run.
    pub fn start_all(&mut self) {
        for index in 0..self.workers.len() {
            self.start(index);
        }
    }

    /// Kills the worker as `kill -9` does, if it runs.
    pub fn kill(&mut self, index: usize) {
        let life = self.life(index);
        if let Some(mut process) = self.workers[index].process.take() {
            process.kill();
            self.killed.insert(life);
        }
    }

    /// Starts again what ended by itself, and says how it ended. A worker that was killed by a job
    /// is counted among the killed.
    pub fn restart_the_fallen(&mut self) -> Vec<Ending> {
        let mut endings = Vec::new();
        for index in 0..self.workers.len() {
            let life = self.life(index);
            let process = self.workers[index].process.as_mut();
            if let Some(ending) = process.and_then(Process::ended) {
                self.killed.insert(life);
                self.workers[index].process = None;
                self.start(index);
                endings.push(ending);
            }
        }
        endings
    }

    /// The running process of a worker.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn process(&mut self, index: usize) -> &mut Process {
        self.workers[index]
            .process
            .as_mut()
            .expect("the worker runs")
    }

    /// Which life of the worker this is.
    pub fn life(&self, index: usize) -> String {
        format!("w{index}.{}", self.workers[index].lives)
    }

    /// Counts a life among those that were ended, for a test that stopped it otherwise.
    pub fn count_as_killed(&mut self, life: String) {
        self.killed.insert(life);
    }

    /// The lives that were ended without a chance to say anything.
    pub fn killed(&self) -> &BTreeSet<String> {
        &self.killed
    }

    /// Sends SIGTERM to all, once, and waits until they are gone.
    ///
    /// # Panics
    ///
    /// When one does not drain in time, or does not exit with 0.
    pub fn drain(&mut self, deadline: Duration) {
        for worker in &mut self.workers {
            if let Some(process) = &mut worker.process {
                process.signal(Signal::TERM);
            }
        }
        self.wait(deadline);
    }

    /// Waits until all are gone that were told to.
    ///
    /// # Panics
    ///
    /// When one does not drain in time, or does not exit with 0.
    pub fn wait(&mut self, deadline: Duration) {
        for worker in &mut self.workers {
            if let Some(mut process) = worker.process.take() {
                assert_eq!(
                    process.wait(deadline),
                    Ending::Code(0),
                    "{}",
                    process.output()
                );
            }
        }
    }
}
