//! The HTTP side: `/metrics`, `/livez`, `/readyz`, `/version`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{Health, Metrics};
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// The type of Prometheus' text.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Maximum open connections.
const CONNECTIONS_MAX: usize = 32;
/// A request must be there after this long,
const HEADER_MAX: Duration = Duration::from_secs(5);
/// and a connection ends after this.
const CONNECTION_MAX: Duration = Duration::from_secs(30);
/// Where none can be accepted that is tried again after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes the address, before any work is begun.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "the admin port asks for no password: whoever reaches it sees the names and depths of queues");
    }
    TcpListener::bind(address).await.map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::PermissionDenied => Exit::Denied,
            _ => Exit::Misconfigured,
        };
        CliError::new(exit, format!("--admin {address} cannot be served: {error}"))
    })
}

/// Serves until the task is dropped: `/readyz` must answer until the drain is over.
///
/// Nobody is trusted to end what they begin: a request must be there in time, a connection ends
/// in time, and where too many are open the oldest makes way, so that neither descriptors nor
/// probes are at the mercy of who connects.
pub(crate) async fn serve(listener: TcpListener, metrics: Metrics, health: Health) {
    let router = Router::new()
        .route("/metrics", get(render))
        .with_state(metrics)
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(health)
        .route("/version", get(async || env!("CARGO_PKG_VERSION")));
    let mut open: VecDeque<Connection> = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Without descriptors there is nothing to do but to wait for some.
                tracing::debug!(%error, "a connection to the admin port was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        open.retain(|connection| !connection.0.is_finished());
        if open.len() >= CONNECTIONS_MAX {
            open.pop_front();
        }
        let answering = answer_requests(stream, router.clone());
        open.push_back(Connection(tokio::spawn(answering)));
    }
}

/// An open connection; it is closed when this is dropped.
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn answer_requests(stream: TcpStream, router: Router) {
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(CONNECTION_MAX, serving).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the admin port broke off"),
    }
}

async fn render(State(metrics): State<Metrics>) -> Response {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics.render()).into_response()
}

async fn livez(State(health): State<Health>) -> Response {
    answer(health.lives())
}

async fn readyz(State(health): State<Health>) -> Response {
    answer(health.is_ready().await)
}

fn answer(verdict: std::result::Result<(), String>) -> Response {
    match verdict {
        Ok(()) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why + "\n").into_response(),
    }
}
