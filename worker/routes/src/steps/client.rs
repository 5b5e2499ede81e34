//! The HTTP clients of a run.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

use crate::steps::address::is_public;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One client for hosts that the route's author wrote, one for hosts that a message can name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients {
    open: Option<Client>,
    filtered: Option<Client>,
}

impl Clients {
    /// Makes them, or an error in words (no certificates, say).
    pub(crate) fn new() -> Result<Self, String> {
        let in_words = |error: reqwest::Error| format!("the HTTP client cannot be made: {error}");
        Ok(Self {
            open: Some(builder().build().map_err(in_words)?),
            filtered: Some(
                builder()
                    .dns_resolver(Arc::new(PublicOnly))
                    .build()
                    .map_err(in_words)?,
            ),
        })
    }

    pub(super) fn get(&self, host_is_literal: bool) -> Option<&Client> {
        if host_is_literal {
            self.open.as_ref()
        } else {
            self.filtered.as_ref()
        }
    }
}

fn builder() -> reqwest::ClientBuilder {
    Client::builder()
        // A redirect goes where the answer says, so it is not followed.
        .redirect(Policy::none())
        // A proxy would resolve names itself, past the address filter.
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
}

/// Resolves names to public addresses only: the connection is made to an address that was
/// checked, whatever the name means a moment later.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|one| is_public(one.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// A name or an address that a message may not send a request to.
#[derive(Debug)]
pub(super) struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host comes from the message and has no public address")
    }
}

impl std::error::Error for NotPublic {}
