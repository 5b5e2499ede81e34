//! The HTTP side: `/metrics`, `/livez`, `/readyz`, `/version`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::{Health, Metrics};
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// The type of Prometheus' text.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Takes the address, before any work is begun.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::PermissionDenied => Exit::Denied,
            _ => Exit::Misconfigured,
        };
        CliError::new(exit, format!("--admin {address} cannot be served: {error}"))
    })
}

/// Serves until the task is dropped: `/readyz` must answer until the drain is over.
pub(crate) async fn serve(listener: TcpListener, metrics: Metrics, health: Health) {
    let router = Router::new()
        .route("/metrics", get(render))
        .with_state(metrics)
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(health)
        .route("/version", get(async || env!("CARGO_PKG_VERSION")));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the admin port failed; the routes go on");
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
