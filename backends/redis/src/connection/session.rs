//! Speaking to the server: one call, one answer, one deadline.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use redis::{Cmd, Pipeline, RedisError, RedisResult, Value, cmd};

use crate::config::{AckLevel, Config};
use crate::connection::acl;
use crate::connection::call::{Call, is_unknown_script};
use crate::connection::line::Line;
use crate::connection::reply::Reply;
use crate::connection::waits::Waits;
use crate::error::{deadline_exceeded, failed, failed_in_cluster, unexpected_reply};
use crate::scripts::Script;

/// The connections of an open store. Nothing on them ever blocks the server side, but for the
/// durable one.
pub(crate) struct Session {
    /// All scripts.
    main: Line,
    /// Large bodies, so that they do not stand in front of small calls.
    bulk: Line,
    /// Enqueues that wait for replicas or for the disk, in turns: a wait holds up what is behind
    /// it.
    durable: Vec<Line>,
    turn: AtomicUsize,
    timeout: Duration,
    ack: AckLevel,
    /// What an enqueue waits for behind its script.
    waits: Option<Waits>,
    /// What all keys begin with, to name the rights that a user lacks.
    prefix: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("timeout", &self.timeout)
            .field("ack", &self.ack)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(
        main: Line,
        bulk: Line,
        durable: Vec<Line>,
        config: &Config,
        timeout: Duration,
    ) -> Self {
        Self {
            main,
            bulk,
            durable,
            turn: AtomicUsize::new(0),
            timeout,
            ack: config.ack,
            waits: match config.ack {
                AckLevel::Replicas(wanted) => Some(Waits::Replicas(wanted)),
                AckLevel::Memory | AckLevel::Fsync => None,
            },
            prefix: config.prefix.clone(),
        }
    }

    pub(crate) fn ack(&self) -> AckLevel {
        self.ack
    }

    /// What an enqueue waits for behind its script.
    pub(crate) fn waits(&self) -> Option<Waits> {
        self.waits
    }

    /// From now on each enqueue waits until it is on the disk.
    pub(crate) fn wait_for_disk(&mut self, lines: Vec<Line>) {
        self.durable = lines;
        self.waits = Some(Waits::Disk);
    }

    async fn by_deadline<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = RedisResult<T>>,
    ) -> Result<T> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(answer) => answer.map_err(|error| match &self.main {
                Line::Cluster(_) => failed_in_cluster(operation, error),
                Line::One(_) | Line::Followed(_) => failed(operation, error),
            }),
            Err(_) => Err(deadline_exceeded(operation, self.timeout)),
        }
    }

    /// Runs a script.
    pub(crate) async fn run(&self, call: &Call) -> Result<Reply> {
        let answer = self.by_deadline(call.operation, async {
            match self.main.command(&call.command(false)).await {
                // The server restarted or its cache was flushed; nothing has run yet.
                Err(error) if is_unknown_script(&error) => {
                    self.main.command(&call.command(true)).await
                }
                answered => answered,
            }
        });
        match answer.await {
            Ok(value) => Ok(Reply::new(call.operation, value)),
            Err(error) if error.kind() == StoreErrorKind::Denied => {
                Err(self.named_denial(call, error).await)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs a script by its text.
    pub(crate) async fn run_text(&self, call: &Call) -> Result<Reply> {
        let command = call.command(true);
        let answer = self.by_deadline(call.operation, self.main.command(&command));
        Ok(Reply::new(call.operation, answer.await?))
    }

    /// Several commands on the line of the scripts; the refusal of one is a value.
    pub(crate) async fn on_main(
        &self,
        operation: &'static str,
        pipeline: &Pipeline,
        key: &str,
    ) -> Result<Vec<Value>> {
        self.by_deadline(operation, self.main.pipeline(pipeline, key))
            .await
    }

    /// Says which rights are missing: the server only says that one is.
    pub(crate) async fn named_denial(&self, call: &Call, error: StoreError) -> StoreError {
        let channel = format!("{}/wake/x", self.prefix);
        let ask = acl::question(call.script, call.keys().first(), &channel);
        let asked = tokio::time::timeout(self.timeout, self.main.command(&ask));
        let answer = match asked.await {
            Ok(Ok(answer)) => answer,
            // Not even the question may be asked, or name the key.
            Ok(Err(refused)) if refused.code() == Some("NOPERM") => {
                let words = refused.to_string();
                return acl::of_question(call.operation, &words, &self.prefix).unwrap_or(error);
            }
            Ok(Err(_)) | Err(_) => return error,
        };
        acl::named(call.operation, Some(answer), &self.prefix).unwrap_or(error)
    }

    /// Runs a script whose effect must reach as many replicas as were asked for, or the disk.
    pub(crate) async fn run_durably(&self, call: &Call) -> Result<Reply> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let line = self.durable.get(turn % self.durable.len().max(1));
        let (Some(waits), Some(line)) = (self.waits, line) else {
            return self.run(call).await;
        };
        // Twice this is still less than the deadline: the script may have to be sent again.
        let wait = self.timeout * 2 / 5;
        let answers = self.by_deadline(call.operation, async {
            match pipeline_and_wait(line, call, false, waits, wait).await {
                Err(error) if is_unknown_script(&error) => {
                    pipeline_and_wait(line, call, true, waits, wait).await
                }
                answered => answered,
            }
        });
        let [value, reached] = answers.await?;
        waits.judge(call.operation, reached, wait)?;
        Ok(Reply::new(call.operation, value))
    }

    /// Puts scripts into the server's cache.
    pub(crate) async fn load(&self, scripts: &[&'static Script]) -> Result<()> {
        for script in scripts {
            let mut load = cmd("SCRIPT");
            load.arg("LOAD").arg(script.source());
            self.command("open", &load).await?;
        }
        Ok(())
    }

    /// One plain command.
    pub(crate) async fn command(&self, operation: &'static str, command: &Cmd) -> Result<Reply> {
        let answer = self.by_deadline(operation, self.main.command(command));
        match answer.await {
            Ok(value) => Ok(Reply::new(operation, value)),
            Err(error) => Err(acl::of_command(operation, error, &self.prefix)),
        }
    }

    /// Commands about one slot that nothing comes between, and what each of them answered.
    pub(crate) async fn transaction(
        &self,
        operation: &'static str,
        transaction: &Pipeline,
        key: &str,
    ) -> Result<Vec<Value>> {
        let answer = self.by_deadline(operation, self.main.pipeline(transaction, key));
        match answer.await?.pop() {
            Some(Value::Array(answers)) => Ok(answers),
            _ => Err(unexpected_reply(operation, "a transaction has no answers")),
        }
    }

    /// Commands about large bodies, all of the slot of `key`.
    pub(crate) async fn bulk(
        &self,
        operation: &'static str,
        pipeline: &Pipeline,
        key: &str,
    ) -> Result<Vec<Reply>> {
        let answers = self.by_deadline(operation, async {
            let answers = self.bulk.pipeline(pipeline, key).await?;
            // In a pipeline the refusal of one command is a value.
            let answers = answers.into_iter().map(Value::extract_error);
            answers.collect::<RedisResult<Vec<_>>>()
        });
        let answers = answers.await?;
        Ok(answers
            .into_iter()
            .map(|value| Reply::new(operation, value))
            .collect())
    }
}

/// Sends a script and the wait behind it on the same connection: that counts what this one wrote.
/// Not in one transaction with it, where servers answer at once, about the write before.
async fn pipeline_and_wait(
    line: &Line,
    call: &Call,
    with_text: bool,
    waits: Waits,
    wait: Duration,
) -> RedisResult<[Value; 2]> {
    let mut pipeline = Pipeline::new();
    pipeline.add_command(call.command(with_text));
    pipeline.add_command(waits.command(wait));
    let answers = line.pipeline(&pipeline, call.first_key()).await?;
    let answers: [Value; 2] = answers.try_into().map_err(|_| {
        RedisError::from((redis::ErrorKind::Client, "a pipeline answered too little"))
    })?;
    // In a pipeline the error of one command is a value.
    for answer in &answers {
        if let Value::ServerError(error) = answer {
            return Err(error.clone().into());
        }
    }
    Ok(answers)
}
