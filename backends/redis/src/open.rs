//! Opening a store by its URL.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_core::{
    Backend, Floor, OpenFuture, OpenOptions, Result, Scheme, StoreError, StoreErrorKind, StoreUrl,
};
use redis::cluster::ClusterClientBuilder;
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisResult, TlsCertificates, cmd,
};

use crate::config::{AckLevel, Config, SentinelLogin, Servers, Tls};
use crate::error::failed;
use crate::floor::RedisFloor;
use crate::greeting::first_word;
use crate::link::{Line, Link};
use crate::script;
use crate::script::Script;
use crate::sentinel::{self, Followed};
use crate::store::RedisStore;

/// So many enqueues wait for replicas at a time.
const DURABLE_LINES: usize = 4;
/// A server that says nothing for so long is left to the driver.
const GREETED_WITHIN: Duration = Duration::from_millis(500);

/// The schemes of this store.
pub fn schemes() -> Vec<Scheme> {
    [
        "redis",
        "rediss",
        "valkey",
        "redis+unix",
        "redis+sentinel",
        "rediss+sentinel",
        "redis+cluster",
        "rediss+cluster",
    ]
    .into_iter()
    .map(|name| Scheme {
        name,
        feature: "redis",
        open: Some(opened),
        ddl: None,
        floor: Some(floor),
    })
    .collect()
}

fn opened(url: StoreUrl, options: OpenOptions) -> OpenFuture {
    Box::pin(async move { Ok(Backend::of(open(&url, options).await?)) })
}

fn floor(url: &StoreUrl) -> Result<Arc<dyn Floor>> {
    let config = Config::from_url(url)?;
    if matches!(config.servers, Servers::Cluster(_)) {
        // Its stream would lie on one node, and processor time and memory are those of one.
        let said = "bench measures beside the bare commands of one server, and a cluster is many; \
                    name a single server with the settings of its nodes by redis://";
        return Err(StoreError::unsupported("bench", said));
    }
    let prefix = config.prefix.clone();
    Ok(Arc::new(RedisFloor::new(Dialer::new(config)?, &prefix)))
}

/// Opens the store of a URL. The server is asked at once, so that a wrong URL is found here.
pub async fn open(url: &StoreUrl, options: OpenOptions) -> Result<Arc<RedisStore>> {
    let config = Config::from_url(url)?;
    let timeout = config.timeout.unwrap_or(options.call_timeout);
    let dialer = Dialer::new(config.clone())?;
    dialer.meet(timeout).await?;
    let mut durable = Vec::new();
    if matches!(config.ack, AckLevel::Replicas(_)) {
        for _ in 0..DURABLE_LINES {
            durable.push(dialer.line(timeout).await?);
        }
    }
    let main = dialer.line(timeout).await?;
    let bulk = dialer.line(timeout).await?;
    let mut link = Link::new(main, bulk, durable, &config, timeout);
    if greet(&link).await? == Keeps::WhereWaitedFor {
        let mut lines = Vec::new();
        for _ in 0..DURABLE_LINES {
            lines.push(dialer.line(timeout).await?);
        }
        link.wait_for_disk(lines);
    }
    let store = RedisStore::new(link, dialer, &config, options);
    store.greeted().await?;
    store.announce_meaning().await;
    Ok(store)
}

/// How a server keeps what the URL promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// By itself, or because the link waits for replicas.
    Always,
    /// Where each write is followed by a wait for the disk.
    WhereWaitedFor,
}

/// Finds out whether the server is there, lets us in and keeps what the URL promises.
async fn greet(link: &Link) -> Result<Keeps> {
    link.command("open", &cmd("PING")).await?;
    let load: [&'static Script; 3] = [&script::ENQUEUE, &script::ENQUEUE_PLAIN, &script::ADOPT];
    match link.ack() {
        AckLevel::Memory => return Ok(Keeps::Always),
        AckLevel::Replicas(_) => {
            link.load(&load).await?;
            return Ok(Keeps::Always);
        }
        AckLevel::Fsync => {}
    }
    let mut ask = cmd("CONFIG");
    ask.arg("GET").arg("appendfsync").arg("appendonly");
    ask.arg("no-appendfsync-on-rewrite");
    let mut answer = Vec::new();
    for word in link.command("open", &ask).await?.list()? {
        answer.push(word.text()?);
    }
    let has = |key: &str, value: &str| {
        answer
            .windows(2)
            .any(|pair| pair[0] == key && pair[1] == value)
    };
    let is_written = has("appendonly", "yes") && !has("appendfsync", "no");
    // With it nothing is synced for as long as the file is rewritten or a snapshot is saved.
    let is_suspended = has("no-appendfsync-on-rewrite", "yes");
    if is_written && has("appendfsync", "always") && !is_suspended {
        return Ok(Keeps::Always);
    }
    if is_written && can_wait_for_disk(link).await {
        link.load(&load).await?;
        return Ok(Keeps::WhereWaitedFor);
    }
    let what = if is_written && is_suspended {
        " while it rewrites its file or saves a snapshot; set no-appendfsync-on-rewrite no"
    } else {
        "; set appendonly yes and appendfsync always"
    };
    Err(StoreError::new(
        StoreErrorKind::Misconfigured,
        "open",
        format!(
            "ack=fsync promises what this server does not keep{what} (from Redis 7.2 on appendonly \
             yes is enough, with the right +waitaof)"
        ),
    ))
}

/// Whether the server knows how to wait for its disk, and lets us.
async fn can_wait_for_disk(link: &Link) -> bool {
    let mut wait = cmd("WAITAOF");
    wait.arg(0).arg(0).arg(1);
    link.command("open", &wait).await.is_ok()
}

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Dialer {
    config: Config,
    certificates: Option<TlsCertificates>,
    /// User and password for the Sentinels.
    sentinel_login: Option<(Option<String>, String)>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dialer({})", self.config.shown)
    }
}

impl Dialer {
    pub(crate) fn new(config: Config) -> Result<Self> {
        let certificates = config.tls.as_ref().map(certificates).transpose()?;
        if certificates.is_some() {
            // Fails where the program has chosen one already, which is as good.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let sentinel_login = sentinel_login(&config)?;
        Ok(Self {
            config,
            certificates,
            sentinel_login,
        })
    }

    /// Has a first word with the servers of the URL where nothing else has proved what they are.
    async fn meet(&self, timeout: Duration) -> Result<()> {
        let named = match &self.config.servers {
            _ if self.config.tls.is_some() => return Ok(()),
            Servers::Socket(_) => return Ok(()),
            Servers::Single { host, port } => vec![(host.clone(), *port)],
            Servers::Sentinel { sentinels, .. } => sentinels.clone(),
            Servers::Cluster(nodes) => nodes.clone(),
        };
        let met = named
            .iter()
            .map(|(host, port)| first_word(host, *port, timeout.min(GREETED_WITHIN)));
        try_join_all(met).await.map(drop)
    }

    /// A line for calls.
    async fn line(&self, timeout: Duration) -> Result<Line> {
        let made = match &self.config.servers {
            Servers::Single { host, port } => self
                .client(host, *port)
                .and_then(|client| Line::one(&client, timeout)),
            Servers::Socket(path) => self
                .client_at(ConnectionAddr::Unix(path.clone()))
                .and_then(|client| Line::one(&client, timeout)),
            Servers::Sentinel { .. } => Ok(Line::Followed(Box::new(Followed::new(
                self.clone(),
                timeout,
            )))),
            Servers::Cluster(nodes) => {
                let connect = self.cluster(nodes, timeout);
                match tokio::time::timeout(timeout, connect).await {
                    Ok(made) => made,
                    Err(_) => return Err(crate::error::late("open", timeout)),
                }
            }
        };
        made.map_err(|error| failed("open", error))
    }

    async fn cluster(&self, nodes: &[(String, u16)], timeout: Duration) -> RedisResult<Line> {
        let infos: RedisResult<Vec<ConnectionInfo>> = nodes
            .iter()
            .map(|(host, port)| self.info(self.address(host, *port)))
            .collect();
        let mut builder = ClusterClientBuilder::new(infos?)
            .connection_timeout(timeout.min(Duration::from_secs(1)))
            .response_timeout(timeout)
            .retries(4)
            .min_retry_wait(20)
            .max_retry_wait(500)
            .tcp_settings(TcpSettings::default().set_nodelay(true));
        if let Some(certificates) = &self.certificates {
            builder = builder.certs(certificates.clone());
        }
        let client = builder.build()?;
        client.get_async_connection().await.map(Line::Cluster)
    }

    /// A client for one server, as the URL says.
    pub(crate) fn client(&self, host: &str, port: u16) -> RedisResult<Client> {
        self.client_at(self.address(host, port))
    }

    fn client_at(&self, address: ConnectionAddr) -> RedisResult<Client> {
        let info = self.info(address)?;
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    fn address(&self, host: &str, port: u16) -> ConnectionAddr {
        if self.config.tls.is_some() {
            return ConnectionAddr::TcpTls {
                host: host.to_owned(),
                port,
                insecure: false,
                tls_params: None,
            };
        }
        ConnectionAddr::Tcp(host.to_owned(), port)
    }

    fn info(&self, address: ConnectionAddr) -> RedisResult<ConnectionInfo> {
        let mut settings = RedisConnectionInfo::default().set_db(self.config.database);
        if let Some(user) = &self.config.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.config.password {
            settings = settings.set_password(password);
        }
        let info = address.into_connection_info()?;
        Ok(info
            .set_redis_settings(settings)
            .set_tcp_settings(TcpSettings::default().set_nodelay(true)))
    }

    /// Where the Sentinels say that the primary is.
    pub(crate) async fn primary(&self, timeout: Duration) -> RedisResult<(String, u16)> {
        let Servers::Sentinel { sentinels, service } = &self.config.servers else {
            return Err((redis::ErrorKind::Client, "no sentinels are named").into());
        };
        let clients: RedisResult<Vec<Client>> = sentinels
            .iter()
            .map(|(host, port)| {
                let mut settings = RedisConnectionInfo::default();
                if let Some((user, password)) = &self.sentinel_login {
                    settings = settings.set_password(password);
                    if let Some(user) = user {
                        settings = settings.set_username(user);
                    }
                }
                let info = self.address(host, *port).into_connection_info()?;
                let info = info.set_redis_settings(settings);
                match &self.certificates {
                    Some(certificates) => Client::build_with_tls(info, certificates.clone()),
                    None => Client::open(info),
                }
            })
            .collect();
        sentinel::ask(&clients?, service, timeout).await
    }

    /// A client of a server that can carry subscriptions and measurements.
    pub(crate) async fn any_client(&self, timeout: Duration) -> RedisResult<Client> {
        match &self.config.servers {
            Servers::Single { host, port } => self.client(host, *port),
            Servers::Socket(path) => self.client_at(ConnectionAddr::Unix(path.clone())),
            Servers::Sentinel { .. } => {
                let (host, port) = self.primary(timeout).await?;
                self.client(&host, port)
            }
            Servers::Cluster(nodes) => {
                let (host, port) = &nodes[fastrand::usize(..nodes.len())];
                self.client(host, *port)
            }
        }
    }
}

/// User and password for the Sentinels, as the URL says.
fn sentinel_login(config: &Config) -> Result<Option<(Option<String>, String)>> {
    let path = match &config.sentinel_login {
        SentinelLogin::None => return Ok(None),
        SentinelLogin::Same => {
            let password = config.password.clone();
            return Ok(password.map(|password| (config.user.clone(), password)));
        }
        SentinelLogin::File(path) => path,
    };
    let refused = |why: String| {
        let said = format!("the file {} {why}", path.display());
        StoreError::new(StoreErrorKind::Misconfigured, "open", said)
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| refused(format!("cannot be read: {error}")))?;
    let Some((user, password)) = text.trim_end_matches(['\r', '\n']).split_once(':') else {
        let said = "holds no login for the Sentinels; write user:password or :password";
        return Err(refused(said.to_owned()));
    };
    let user = (!user.is_empty()).then(|| user.to_owned());
    Ok(Some((user, password.to_owned())))
}

fn certificates(tls: &Tls) -> Result<TlsCertificates> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| {
            StoreError::new(
                StoreErrorKind::Misconfigured,
                "open",
                format!("the file {} cannot be read: {error}", path.display()),
            )
        })
    };
    let client_tls = match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => Some(ClientTlsConfig {
            client_cert: read(cert)?,
            client_key: read(key)?,
        }),
        _ => None,
    };
    let root_cert = tls.ca.as_ref().map(read).transpose()?;
    Ok(TlsCertificates {
        client_tls,
        root_cert,
    })
}
