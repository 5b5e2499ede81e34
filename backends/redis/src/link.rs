//! Speaking to the server: one call, one answer, one deadline.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::{Client, Cmd, Pipeline, RedisError, RedisResult, Value, cmd};

use crate::config::{AckLevel, Config};
use crate::denial;
use crate::error::{failed, failed_in_cluster, late, strange};
use crate::reply::Reply;
use crate::script::Script;
use crate::sentinel::Followed;
use crate::waits::Waits;

/// The connections of an open store. Nothing on them ever blocks the server side, but for the
/// durable one.
pub(crate) struct Link {
    /// All scripts.
    main: Line,
    /// Large bodies, so that they do not stand in front of small calls.
    bulk: Line,
    /// Enqueues that wait for replicas or for the disk, in turns: a wait holds up what is behind it.
    durable: Vec<Line>,
    turn: AtomicUsize,
    timeout: Duration,
    ack: AckLevel,
    /// What an enqueue waits for behind its script.
    waits: Option<Waits>,
    /// What all keys begin with, to name the rights that a user lacks.
    prefix: String,
}

/// One connection that mends itself.
pub(crate) enum Line {
    One(ConnectionManager),
    Followed(Box<Followed>),
    Cluster(ClusterConnection),
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("timeout", &self.timeout)
            .field("ack", &self.ack)
            .finish_non_exhaustive()
    }
}

/// How a connection reconnects: soon, with jitter, and never for longer than a call lasts.
pub(crate) fn manager_config(timeout: Duration) -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(timeout.min(Duration::from_secs(1))))
        .set_response_timeout(Some(timeout))
        .set_number_of_retries(2)
        .set_min_delay(Duration::from_millis(50))
        .set_max_delay(Duration::from_millis(500))
}

impl Line {
    /// A line to one server. It connects at the first call.
    pub(crate) fn one(client: &Client, timeout: Duration) -> RedisResult<Self> {
        client
            .get_connection_manager_lazy(manager_config(timeout))
            .map(Self::One)
    }

    async fn command(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = match self {
            Self::One(manager) => manager.clone().send_packed_command(command).await,
            Self::Followed(followed) => followed.command(command).await,
            Self::Cluster(cluster) => {
                use redis::aio::ConnectionLike;
                cluster.clone().req_packed_command(command).await
            }
        };
        // The server's refusal is a value to the driver.
        answer?.extract_error()
    }

    /// Several commands about the slot of `key`, in order. A transaction has one answer: a list.
    async fn pipeline(&self, pipeline: &Pipeline, key: &str) -> RedisResult<Vec<Value>> {
        let (skipped, count) = if pipeline.is_transaction() {
            (pipeline.len() + 1, 1)
        } else {
            (0, pipeline.len())
        };
        match self {
            Self::One(manager) => {
                let mut manager = manager.clone();
                manager.send_packed_commands(pipeline, skipped, count).await
            }
            Self::Followed(followed) => followed.pipeline(pipeline, skipped, count).await,
            Self::Cluster(cluster) => {
                let route = Route::with_key(key, SlotAddr::Master);
                let route = SingleNodeRoutingInfo::SpecificNode(route);
                let mut cluster = cluster.clone();
                cluster
                    .route_pipeline(pipeline.clone(), skipped, count, route)
                    .await
            }
        }
    }
}

/// A call of a script that is being put together.
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    script: &'static Script,
    keys: Vec<String>,
    args: Cmd,
}

impl Call {
    pub(crate) fn new(operation: &'static str, script: &'static Script, keys: Vec<String>) -> Self {
        Self {
            operation,
            script,
            keys,
            args: Cmd::new(),
        }
    }

    pub(crate) fn arg(&mut self, value: impl redis::ToRedisArgs) -> &mut Self {
        self.args.arg(value);
        self
    }

    /// Declares one more key.
    pub(crate) fn key(&mut self, key: String) -> &mut Self {
        self.keys.push(key);
        self
    }

    /// Some key of the slot it goes to.
    pub(crate) fn first_key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// The command; by the script's name in the cache, or with its whole text.
    pub(crate) fn command(&self, with_text: bool) -> Cmd {
        let mut command = if with_text {
            let mut command = cmd("EVAL");
            command.arg(self.script.source());
            command
        } else {
            let mut command = cmd("EVALSHA");
            command.arg(self.script.hash());
            command
        };
        command.arg(self.keys.len()).arg(&self.keys);
        for arg in self.args.args_iter() {
            if let redis::Arg::Simple(bytes) = arg {
                command.arg(bytes);
            }
        }
        command
    }
}

pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.code() == Some("NOSCRIPT") || error.kind() == redis::ServerErrorKind::NoScript.into()
}

impl Link {
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
            Err(_) => Err(late(operation, self.timeout)),
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
        let ask = denial::question(call.script, call.keys.first(), &channel);
        let asked = tokio::time::timeout(self.timeout, self.main.command(&ask));
        let answer = match asked.await {
            Ok(Ok(answer)) => answer,
            // Not even the question may be asked, or name the key.
            Ok(Err(refused)) if refused.code() == Some("NOPERM") => {
                let words = refused.to_string();
                return denial::of_question(call.operation, &words, &self.prefix).unwrap_or(error);
            }
            Ok(Err(_)) | Err(_) => return error,
        };
        denial::named(call.operation, Some(answer), &self.prefix).unwrap_or(error)
    }

    /// Runs a script whose effect must reach as many replicas as were asked for, or the disk.
    pub(crate) async fn run_durably(&self, call: &Call) -> Result<Reply> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let line = self.durable.get(turn % self.durable.len().max(1));
        let (Some(waits), Some(line)) = (self.waits, line) else {
            return self.run(call).await;
        };
        // Twice this is still less than the deadline: the script may have to be sent anew.
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
            Err(error) => Err(denial::of_command(operation, error, &self.prefix)),
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
            _ => Err(strange(operation, "a transaction has no answers")),
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
