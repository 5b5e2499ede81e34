//! Following the server that the Sentinels name.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, Pipeline, RedisError,
    RedisResult, Value,
};
use tokio::sync::Mutex;

use crate::config::Servers;
use crate::connection::dialer::{Dialer, manager_config};

/// A line to whatever server the Sentinels name as the primary.
pub(crate) struct Followed {
    dialer: Dialer,
    timeout: Duration,
    /// A call failed in a way that a failover explains: ask the Sentinels before the next.
    doubtful: AtomicBool,
    current: Mutex<Option<(String, u16, ConnectionManager)>>,
}

impl Followed {
    pub(crate) fn new(dialer: Dialer, timeout: Duration) -> Self {
        Self {
            dialer,
            timeout,
            doubtful: AtomicBool::new(true),
            current: Mutex::new(None),
        }
    }

    pub(crate) async fn command(&self, command: &Cmd) -> RedisResult<Value> {
        let mut manager = self.manager().await?;
        let answer = manager.send_packed_command(command).await;
        self.watch(answer.and_then(Value::extract_error))
    }

    pub(crate) async fn pipeline(
        &self,
        pipeline: &Pipeline,
        skipped: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut manager = self.manager().await?;
        let answer = manager.send_packed_commands(pipeline, skipped, count).await;
        self.watch(answer)
    }

    fn watch<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        if let Err(error) = &answer
            && (error.is_io_error() || error.to_string().contains("READONLY"))
        {
            self.doubtful.store(true, Ordering::Relaxed);
        }
        answer
    }

    async fn manager(&self) -> RedisResult<ConnectionManager> {
        let mut current = self.current.lock().await;
        if let Some((_, _, manager)) = &*current
            && !self.doubtful.load(Ordering::Relaxed)
        {
            return Ok(manager.clone());
        }
        let (host, port) = primary(&self.dialer, self.timeout).await?;
        self.doubtful.store(false, Ordering::Relaxed);
        if let Some((known, known_port, manager)) = &*current
            && (known, *known_port) == (&host, port)
        {
            return Ok(manager.clone());
        }
        let client = self.dialer.client(&host, port)?;
        let manager = client.get_connection_manager_lazy(manager_config(self.timeout))?;
        *current = Some((host, port, manager.clone()));
        Ok(manager)
    }
}

/// Asks one Sentinel after another for the primary of a service.
async fn ask(sentinels: &[Client], service: &str, timeout: Duration) -> RedisResult<(String, u16)> {
    let patience = timeout.min(Duration::from_millis(500));
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience));
    let mut problem = RedisError::from((ErrorKind::EmptySentinelList, "no sentinel is named"));
    for sentinel in sentinels {
        match ask_one(sentinel, service, &config).await {
            Ok(Some(address)) => return Ok(address),
            Ok(None) => {
                problem = RedisError::from((
                    ErrorKind::MasterNameNotFoundBySentinel,
                    "no sentinel knows a service of this name",
                    service.to_owned(),
                ));
            }
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

async fn ask_one(
    sentinel: &Client,
    service: &str,
    config: &AsyncConnectionConfig,
) -> RedisResult<Option<(String, u16)>> {
    let mut connection = sentinel
        .get_multiplexed_async_connection_with_config(config)
        .await?;
    redis::cmd("SENTINEL")
        .arg("GET-MASTER-ADDR-BY-NAME")
        .arg(service)
        .query_async(&mut connection)
        .await
}

/// Where the Sentinels say that the primary is.
async fn primary(dialer: &Dialer, timeout: Duration) -> RedisResult<(String, u16)> {
    let Servers::Sentinel { sentinels, service } = dialer.servers() else {
        return Err((ErrorKind::Client, "no sentinels are named").into());
    };
    let clients: RedisResult<Vec<Client>> = sentinels
        .iter()
        .map(|(host, port)| dialer.sentinel(host, *port))
        .collect();
    ask(&clients?, service, timeout).await
}

/// A client of a server that can carry subscriptions and measurements.
pub(crate) async fn any_client(dialer: &Dialer, timeout: Duration) -> RedisResult<Client> {
    match dialer.servers() {
        Servers::Single { host, port } => dialer.client(host, *port),
        Servers::Socket(path) => dialer.client_at(ConnectionAddr::Unix(path.clone())),
        Servers::Sentinel { .. } => {
            let (host, port) = primary(dialer, timeout).await?;
            dialer.client(&host, port)
        }
        Servers::Cluster(nodes) => {
            let (host, port) = &nodes[fastrand::usize(..nodes.len())];
            dialer.client(host, *port)
        }
    }
}
