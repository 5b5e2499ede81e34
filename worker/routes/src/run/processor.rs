//! Working a message by the steps of a route.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::{ClauseAction, Failure};
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::model::route::Route;
use crate::run::checkpoint::{self, Position};
use crate::steps::{Child, Input, Services};
use crate::template::Data;
use longshore::{JobContext, Outcome, Processor, spans};

/// Runs the steps of a route in order, each delivery from where the last one failed.
#[derive(Debug)]
pub(crate) struct RouteProcessor {
    route: Arc<Route>,
    services: Arc<Services>,
    /// The slots of the process, where several workers share them.
    gate: Option<Arc<Semaphore>>,
}

impl RouteProcessor {
    pub(crate) fn new(
        route: Arc<Route>,
        services: Arc<Services>,
        gate: Option<Arc<Semaphore>>,
    ) -> Self {
        Self {
            route,
            services,
            gate,
        }
    }

    /// Where this delivery begins.
    fn beginning(&self, job: &JobContext) -> Position {
        let Some(checkpoint) = job.checkpoint().get() else {
            return Position::START;
        };
        match checkpoint::read(&self.route, &checkpoint) {
            Some(resumed) if !self.route.restarts => resumed.position,
            Some(_) => Position::START,
            None => {
                let id = job.delivery.message.id;
                tracing::info!(route = %self.route.name, %id, "the steps changed since the last attempt; it starts again");
                Position::START
            }
        }
    }

    /// Runs the steps from `position` to the end, or to the first failure that no clause
    /// continues.
    async fn walk(&self, job: &JobContext, mut position: Position) -> Outcome {
        let mut trail = Trail::begin(&position);
        while let Some(step) = self.route.steps.get(position.step) {
            if let Err(failure) = trail.leave(&self.route, job, &position) {
                return Outcome::Failed(failure);
            }
            job.until_held().await;
            let body = position.body.as_ref().unwrap_or(&job.delivery.message.body);
            let input = self.input(job, position.step, body);
            let started = Instant::now();
            let span = spans::step(position.step + 1);
            let done = step.run(&input).instrument(span).await;
            self.measure(position.step, started);
            match done {
                Ok(Some(body)) => position.body = Some(body),
                Ok(None) => {}
                Err(failure) if self.continues(&failure) => self.told(job, position.step, &failure),
                Err(failure) => {
                    // So that people see where it stopped; nothing to resume from is lost by it.
                    if self.route.steps.len() > 1 && job.checkpoint().get().is_none() {
                        let here = position.to_checkpoint(&self.route, position.step);
                        let _ = job.checkpoint().set(here);
                    }
                    return Outcome::Failed(failure);
                }
            }
            position.step += 1;
        }
        Outcome::Done
    }

    fn input<'a>(&'a self, job: &'a JobContext, index: usize, body: &'a Bytes) -> Input<'a> {
        let message = &job.delivery.message;
        Input {
            job,
            route: &self.route.name,
            index,
            body,
            data: Data::new(message, &job.queue, job.delivery.attempt, body),
            services: &self.services,
        }
    }

    fn continues(&self, failure: &Failure) -> bool {
        let winner = self.route.policy.winner(failure.labelled());
        winner.is_some_and(|clause| clause.action == Some(ClauseAction::Continued))
    }

    fn told(&self, job: &JobContext, step: usize, failure: &Failure) {
        let (route, id) = (&self.route.name, job.delivery.message.id);
        let (step, label) = (step + 1, failure.labelled());
        tracing::info!(%route, %id, step, %label, %failure, "the step failed; the route goes on");
    }

    fn measure(&self, step: usize, started: Instant) {
        let route = self.route.name.as_str().to_owned();
        let step = (step + 1).to_string();
        metrics::histogram!("longshore_route_step_duration_seconds", "route" => route, "step" => step)
            .record(started.elapsed().as_secs_f64());
    }

    /// Goes on behind the step that was running when the job was cut off.
    async fn go_on(&self, job: &JobContext, failure: &Failure) -> Outcome {
        let left = job.checkpoint().get();
        let (mut position, at) = match left.and_then(|left| checkpoint::read(&self.route, &left)) {
            Some(resumed) => (resumed.position, resumed.at),
            None => (Position::START, 0),
        };
        if position.step != at {
            // The body of that step was too large for a checkpoint: it cannot be gone on with.
            let reason = format!(
                "{failure}; the route cannot go on, since the body at that step was not kept"
            );
            return Outcome::Failed(
                Failure::permanent(reason).with_label(failure.labelled().clone()),
            );
        }
        self.told(job, at, failure);
        position.step += 1;
        self.walk(job, position).await
    }
}

#[async_trait]
impl Processor for RouteProcessor {
    async fn process(&self, job: JobContext) -> Outcome {
        // It is never closed, so there is always a permit in the end.
        let _permit = match &self.gate {
            Some(gate) => gate.acquire().await.ok(),
            None => None,
        };
        let position = self.beginning(&job);
        self.walk(&job, position).await
    }

    async fn act(&self, job: &JobContext, failure: &Failure, action: &ClauseAction) -> Outcome {
        match action {
            ClauseAction::Handled => Outcome::Done,
            ClauseAction::Continued => self.go_on(job, failure).await,
            ClauseAction::Forward { queue, store } => {
                let message = &job.delivery.message;
                let child = Child::of(message, &self.route.name, b"on_error", message.body.clone());
                let sent = child.send(job, &self.services, queue, store.as_deref());
                match sent.await {
                    Ok(()) => Outcome::Done,
                    Err(failure) => Outcome::Failed(failure),
                }
            }
            // Dead-lettering is the worker's own business and never gets here.
            _ => Outcome::Failed(
                Failure::permanent(failure.to_string()).with_label(failure.labelled().clone()),
            ),
        }
    }
}

/// Keeps the checkpoint up to date while the steps run.
struct Trail {
    /// The latest position whose body a checkpoint can hold.
    kept: Position,
    warned: bool,
}

impl Trail {
    fn begin(position: &Position) -> Self {
        Self {
            kept: position.clone(),
            warned: false,
        }
    }

    /// Leaves word that the step of `position` begins.
    fn leave(
        &mut self,
        route: &Route,
        job: &JobContext,
        position: &Position,
    ) -> Result<(), Failure> {
        if position.fits() {
            self.kept = position.clone();
        } else if !self.warned {
            self.warned = true;
            tracing::warn!(
                route = %route.name, id = %job.delivery.message.id, step = position.step + 1,
                "the body is too large for a checkpoint; a retry begins at step {}",
                self.kept.step + 1
            );
        }
        let nothing_yet = job.checkpoint().get().is_none();
        if nothing_yet && position.step == 0 {
            return Ok(());
        }
        let checkpoint = self.kept.to_checkpoint(route, position.step);
        job.checkpoint().set(checkpoint)
    }
}
