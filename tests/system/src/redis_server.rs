//! A redis-server of a test's own.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::wait::until;

/// A running redis-server; it ends with the value.
#[derive(Debug)]
pub(crate) struct RedisServer {
    port: u16,
    child: Child,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk; what it says goes to a file of the folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"]);
        let output = File::create(folder.join("000-redis-server.out"));
        let output = output.expect("the output of a server can be kept");
        let command = command.current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(output).stderr(Stdio::null()).spawn();
        let child = child.expect("redis-server starts; install it: apt install redis-server");
        until("the server answers", Duration::from_secs(20), || {
            answers(port)
        });
        Self { port, child }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let mut answer = [0; 5];
    let patience = Some(Duration::from_secs(1));
    stream.set_read_timeout(patience).is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG"
}
