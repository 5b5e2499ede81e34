//! A way to a server on which an answer can get lost.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes everything on, until it is told to lose an answer.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    to_lose: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let to_lose = Arc::new(AtomicU64::new(0));
        let loses = to_lose.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)).await;
                if let Ok(server) = server {
                    tokio::spawn(pass_on(client, server, loses.clone()));
                }
            }
        });
        Self {
            port,
            to_lose,
            accepting,
        }
    }

    pub(crate) fn url(&self, query: &str) -> String {
        format!("redis://127.0.0.1:{}/0?{query}", self.port)
    }

    /// The next answer gets lost: the server has done what it was asked to, and the connection
    /// ends instead of the answer.
    pub(crate) fn lose_next(&self) {
        self.lose_after(0);
    }

    /// The same after so many answers.
    pub(crate) fn lose_after(&self, answers: u64) {
        self.to_lose.store(answers + 1, Ordering::SeqCst);
    }

    /// Whether an answer has been lost since.
    pub(crate) fn has_lost(&self) -> bool {
        self.to_lose.load(Ordering::SeqCst) == 0
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass_on(client: TcpStream, server: TcpStream, loses: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut answer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from_server.read(&mut answer).await {
        let counted = loses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if counted == Ok(1) || to_client.write_all(&answer[..count]).await.is_err() {
            break;
        }
    }
    asking.abort();
}
