//! Making clients of servers, as the URL says.

use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_core::{Result, StoreError, StoreErrorKind};
use redis::aio::ConnectionManagerConfig;
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisResult, TlsCertificates,
};

use crate::config::{Config, SentinelLogin, Servers, Tls};
use crate::connection::greeting::first_word;

/// A server that says nothing for so long is left to the driver.
const GREETED_WITHIN: Duration = Duration::from_millis(500);

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
    pub(crate) async fn meet(&self, timeout: Duration) -> Result<()> {
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

    pub(super) fn servers(&self) -> &Servers {
        &self.config.servers
    }

    pub(super) fn certificates(&self) -> Option<&TlsCertificates> {
        self.certificates.as_ref()
    }

    /// A client for one server, as the URL says.
    pub(crate) fn client(&self, host: &str, port: u16) -> RedisResult<Client> {
        self.client_at(self.address(host, port))
    }

    pub(super) fn client_at(&self, address: ConnectionAddr) -> RedisResult<Client> {
        self.client_of(self.info(address)?)
    }

    /// A client for one Sentinel, which may have a login of its own.
    pub(super) fn sentinel(&self, host: &str, port: u16) -> RedisResult<Client> {
        let mut settings = RedisConnectionInfo::default();
        if let Some((user, password)) = &self.sentinel_login {
            settings = settings.set_password(password);
            if let Some(user) = user {
                settings = settings.set_username(user);
            }
        }
        let info = self.address(host, port).into_connection_info()?;
        self.client_of(info.set_redis_settings(settings))
    }

    fn client_of(&self, info: ConnectionInfo) -> RedisResult<Client> {
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    pub(super) fn address(&self, host: &str, port: u16) -> ConnectionAddr {
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

    pub(super) fn info(&self, address: ConnectionAddr) -> RedisResult<ConnectionInfo> {
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

/// How a connection reconnects: soon, with jitter, and never for longer than a call lasts.
pub(crate) fn manager_config(timeout: Duration) -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(timeout.min(Duration::from_secs(1))))
        .set_response_timeout(Some(timeout))
        .set_number_of_retries(2)
        .set_min_delay(Duration::from_millis(50))
        .set_max_delay(Duration::from_millis(500))
}
