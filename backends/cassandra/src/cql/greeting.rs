//! A first word with a node, before the driver reads from it.
//!
//! The driver makes room for whatever length a frame claims, before anybody has proved who they
//! are. What answers at a wrong port, or in a node's place, is met here instead, with a bound.
//! Behind TLS a certificate has proved it.

use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// OPTIONS in version 4 of the protocol, which is answered without a login.
const QUESTION: [u8; 9] = [4, 0, 0, 0, 5, 0, 0, 0, 0];
/// An answer, in any version,
const ANSWER: u8 = 0x80;
const VERSIONS: std::ops::RangeInclusive<u8> = 3..=6;
/// of these kinds,
const ERROR: u8 = 0;
const SUPPORTED: u8 = 6;
/// and not longer than this.
const BODY_MAX: u32 = 64 * 1024;

/// Refuses what is no node. One that cannot be reached or says nothing is left to the driver, which
/// has words for that.
pub(crate) async fn first_word(host: &str, patience: Duration) -> Result<()> {
    let Ok(Ok(head)) = timeout(patience, ask(host)).await else {
        return Ok(());
    };
    if is_node(&head) {
        return Ok(());
    }
    let words = format!(
        "what answers there is no Cassandra node: it said \"{}\"; check host and port, and whether \
         it wants TLS (cassandra+tls://)",
        head.escape_ascii()
    );
    Err(StoreError::new(StoreErrorKind::Misconfigured, "open", words).with("node", host))
}

async fn ask(host: &str) -> std::io::Result<[u8; 9]> {
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(&QUESTION).await?;
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    Ok(head)
}

fn is_node(head: &[u8; 9]) -> bool {
    let [version, _, _, _, kind, length @ ..] = *head;
    version & ANSWER != 0
        && VERSIONS.contains(&(version & !ANSWER))
        && matches!(kind, ERROR | SUPPORTED)
        && u32::from_be_bytes(length) <= BODY_MAX
}
