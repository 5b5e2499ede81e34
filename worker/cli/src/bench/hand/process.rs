//! A worker in a process of its own: orders and answers as JSON lines over its pipes.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use super::PENDING;
use super::desk::work_off;
use super::order::{Order, Said};
use crate::bench::scratch;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// A worker process. It ends when this is dropped, and by itself when its input closes.
#[derive(Debug)]
pub(crate) struct Process(#[expect(dead_code, reason = "kept to be killed on drop")] Child);

impl Process {
    /// Starts this program again as a worker of the store at `url`.
    pub(super) fn start(
        url: &str,
        orders: mpsc::Receiver<Order>,
        heard: mpsc::Sender<Said>,
    ) -> Result<Self> {
        let cannot = |error| {
            CliError::new(
                Exit::Failed,
                format!("a worker process of the bench cannot be started: {error}"),
            )
        };
        let program = std::env::current_exe().map_err(cannot)?;
        let mut child = Command::new(program)
            .args(["bench", "--child"])
            // In the environment, not among the arguments: those are for everyone to see.
            .env("LONGSHORE_STORE", url)
            .env_remove("LONGSHORE_CONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(cannot)?;
        if let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) {
            tokio::spawn(write_orders(input, orders));
            tokio::spawn(read_answers(output, heard));
        }
        Ok(Self(child))
    }
}

async fn write_orders(mut input: ChildStdin, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        let Ok(mut line) = serde_json::to_vec(&order) else {
            return;
        };
        line.push(b'\n');
        if input.write_all(&line).await.is_err() {
            return;
        }
    }
}

async fn read_answers(output: ChildStdout, heard: mpsc::Sender<Said>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said = serde_json::from_str(&line).unwrap_or_else(|error| Said::Failed {
            sentence: format!("a worker of the bench said what it should not: {error}"),
        });
        if heard.send(said).await.is_err() {
            return;
        }
    }
}

/// The other end: what `bench --child` runs.
pub(crate) async fn child(url: &str) -> Result<()> {
    let (to_desk, orders) = mpsc::channel(PENDING);
    let (says, mut said) = mpsc::channel(PENDING);
    tokio::spawn(async move {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(order) = serde_json::from_str(&line) else {
                return;
            };
            if to_desk.send(order).await.is_err() {
                return;
            }
        }
    });
    let connection = scratch::open(url).await?;
    let desk = tokio::spawn(work_off(connection, orders, says));
    let mut output = tokio::io::stdout();
    while let Some(answer) = said.recv().await {
        let mut line = serde_json::to_vec(&answer)
            .map_err(|error| CliError::new(Exit::Failed, error.to_string()))?;
        line.push(b'\n');
        let written = async {
            output.write_all(&line).await?;
            output.flush().await
        };
        written
            .await
            .map_err(|error| crate::error::of_stdout(&error))?;
    }
    desk.abort();
    Ok(())
}
