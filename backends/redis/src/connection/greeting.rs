//! A first word with a server, before the driver reads from it.
//!
//! The driver keeps in memory whatever an answer claims to hold, however long, and before anybody
//! has proved who they are. What answers at a wrong port, or in a server's place, is met here
//! instead, with a bound. Behind TLS a certificate has proved it, and a socket its permissions.

use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Every server answers it, no matter who asks and with which rights, and then hangs up.
const QUESTION: &[u8] = b"*1\r\n$4\r\nQUIT\r\n";
/// Its answer is a line, and so is every refusal; that of protected mode has more than a thousand
/// bytes.
const ANSWER_MAX: usize = 16 * 1024;
/// So much of something else is shown.
const SHOWN_MAX: usize = 60;

/// Refuses what is no server of this protocol. One that cannot be reached or says nothing is left
/// to the driver, which has words for that.
pub(crate) async fn first_word(host: &str, port: u16, patience: Duration) -> Result<()> {
    let Ok(Ok(answer)) = timeout(patience, ask(host, port)).await else {
        return Ok(());
    };
    let refused = |kind, words: &str| {
        let server = format!("{host}:{port}");
        Err(StoreError::new(kind, "open", words).with("server", server))
    };
    // It hangs up before it hears anything, and the driver sees no more than that.
    if answer.starts_with(b"-DENIED") {
        let words = "the server is in protected mode and lets nobody in from other hosts; give it \
                     a password, or set protected-mode no where its network is closed";
        return refused(StoreErrorKind::Denied, words);
    }
    if answer.is_empty() || is_line(&answer) {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(&answer[..answer.len().min(SHOWN_MAX)]);
    let words = format!(
        "what answers there does not speak the protocol of Redis: it said \"{}\"; check host and \
         port, and whether it wants TLS (rediss://)",
        shown.escape_debug()
    );
    refused(StoreErrorKind::Misconfigured, &words)
}

async fn ask(host: &str, port: u16) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(QUESTION).await?;
    let mut answer = Vec::new();
    while answer.len() < ANSWER_MAX && !answer.ends_with(b"\n") {
        let room = ANSWER_MAX - answer.len();
        if (&mut stream)
            .take(room as u64)
            .read_buf(&mut answer)
            .await?
            == 0
        {
            break;
        }
    }
    Ok(answer)
}

/// A status or a refusal, as a server sends them.
fn is_line(answer: &[u8]) -> bool {
    matches!(answer[0], b'+' | b'-') && answer.ends_with(b"\r\n")
}
