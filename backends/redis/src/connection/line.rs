//! One connection that mends itself: to one server, to a primary that moves, or to a cluster.

use std::time::Duration;

use longshore_core::Result;
use redis::aio::ConnectionManager;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::io::tcp::TcpSettings;
use redis::{Client, Cmd, ConnectionAddr, ConnectionInfo, Pipeline, RedisResult, Value};

use crate::config::Servers;
use crate::connection::dialer::{Dialer, manager_config};
use crate::connection::sentinel::Followed;
use crate::error::{deadline_exceeded, failed};

/// One connection that mends itself.
pub(crate) enum Line {
    One(ConnectionManager),
    Followed(Box<Followed>),
    Cluster(ClusterConnection),
}

impl Line {
    /// A line to the servers of the URL. But for a cluster, it connects at the first call.
    pub(crate) async fn to(dialer: &Dialer, timeout: Duration) -> Result<Self> {
        let made = match dialer.servers() {
            Servers::Single { host, port } => dialer
                .client(host, *port)
                .and_then(|client| Self::one(&client, timeout)),
            Servers::Socket(path) => dialer
                .client_at(ConnectionAddr::Unix(path.clone()))
                .and_then(|client| Self::one(&client, timeout)),
            Servers::Sentinel { .. } => Ok(Self::Followed(Box::new(Followed::new(
                dialer.clone(),
                timeout,
            )))),
            Servers::Cluster(nodes) => {
                let connect = Self::cluster(dialer, nodes, timeout);
                match tokio::time::timeout(timeout, connect).await {
                    Ok(made) => made,
                    Err(_) => return Err(deadline_exceeded("open", timeout)),
                }
            }
        };
        made.map_err(|error| failed("open", error))
    }

    async fn cluster(
        dialer: &Dialer,
        nodes: &[(String, u16)],
        timeout: Duration,
    ) -> RedisResult<Self> {
        let infos: RedisResult<Vec<ConnectionInfo>> = nodes
            .iter()
            .map(|(host, port)| dialer.info(dialer.address(host, *port)))
            .collect();
        let mut builder = ClusterClientBuilder::new(infos?)
            .connection_timeout(timeout.min(Duration::from_secs(1)))
            .response_timeout(timeout)
            .retries(4)
            .min_retry_wait(20)
            .max_retry_wait(500)
            .tcp_settings(TcpSettings::default().set_nodelay(true));
        if let Some(certificates) = dialer.certificates() {
            builder = builder.certs(certificates.clone());
        }
        let client = builder.build()?;
        client.get_async_connection().await.map(Self::Cluster)
    }

    /// A line to one server.
    fn one(client: &Client, timeout: Duration) -> RedisResult<Self> {
        client
            .get_connection_manager_lazy(manager_config(timeout))
            .map(Self::One)
    }

    pub(super) async fn command(&self, command: &Cmd) -> RedisResult<Value> {
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
    pub(super) async fn pipeline(&self, pipeline: &Pipeline, key: &str) -> RedisResult<Vec<Value>> {
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
