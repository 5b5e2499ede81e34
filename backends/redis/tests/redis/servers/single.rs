//! One server.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server may take this long to start.
const START_MAX: Duration = Duration::from_secs(20);

/// A running redis-server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    dir: TempDir,
    args: Vec<String>,
}

impl Server {
    /// Starts a server that keeps nothing on disk. Extra arguments win over the defaults.
    pub(crate) fn start(args: &[&str]) -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| format!("no directory: {error}"))?;
        let port = free_port();
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let child = launch(port, dir.path(), &args)?;
        let server = Self {
            child,
            port,
            dir,
            args,
        };
        server.wait()?;
        Ok(server)
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, with a query.
    pub(crate) fn url(&self, query: &str) -> String {
        format!("redis://127.0.0.1:{}/0?{query}", self.port)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Starts it again where it was, with the files it had.
    pub(crate) fn start_again(&mut self) {
        self.child = launch(self.port, self.dir.path(), &self.args).expect("start again");
        self.wait().expect("it answers again");
    }

    /// Stops its clock, so to speak: it keeps its connections and answers nothing.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(name)
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.expect("kill").success());
    }

    /// A bare connection to it.
    pub(crate) async fn raw(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(("127.0.0.1", self.port)).expect("a client");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("connect")
    }

    /// The same where the server wants a password.
    pub(crate) async fn raw_as(&self, password: &str) -> redis::aio::MultiplexedConnection {
        let url = format!("redis://:{password}@127.0.0.1:{}", self.port);
        let client = redis::Client::open(url).expect("a client");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("connect")
    }

    /// One bare command, in words.
    pub(crate) async fn command(&self, words: &[&str]) -> redis::Value {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        let mut connection = self.raw().await;
        command
            .query_async(&mut connection)
            .await
            .expect("a bare command")
    }

    fn wait(&self) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < START_MAX {
            if answers(self.port) {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        Err(format!("redis-server did not start: {log}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(port: u16, dir: &Path, args: &[String]) -> Result<Child, String> {
    let mut server = Command::new("redis-server");
    if args.iter().any(|arg| arg == "--sentinel") {
        // A Sentinel writes into its configuration file, so it needs one.
        let file = dir.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nlogfile log\n",
            dir.display()
        );
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        // What follows the name of the mode are settings.
        server.arg(&file).args(args);
    } else {
        server
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--logfile", "log"])
            .arg("--dir")
            .arg(dir)
            .args(args);
    }
    server
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            format!(
                "redis-server cannot be started ({error}); install it: apt install redis-server"
            )
        })
}

/// Whether a server answers a PING; one that wants a password answers too.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let mut answer = [0; 5];
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && (&answer == b"+PONG" || &answer == b"-NOAU")
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
