//! One server: started, asked, stopped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A server may take this long to start.
const START_MAX: Duration = Duration::from_secs(20);

/// The file in its folder that it writes its log to.
const LOG: &str = "redis-server.log";

/// A running redis-server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
    args: Vec<String>,
    /// Removed with the value, unless the folder is the caller's.
    own: Option<TempDir>,
}

impl Server {
    /// Starts a server that keeps nothing on disk. Extra arguments win over the defaults. The error
    /// says what is missing.
    pub fn start(args: &[&str]) -> Result<Self, String> {
        let own = tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?;
        let mut server = Self::start_in(own.path(), args)?;
        server.own = Some(own);
        Ok(server)
    }

    /// The same, with its log in a folder of the caller, which stays.
    pub fn start_in(folder: &Path, args: &[&str]) -> Result<Self, String> {
        let port = free_port();
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let server = Self {
            child: launch(port, folder, &args)?,
            port,
            folder: folder.to_owned(),
            args,
            own: None,
        };
        server.wait()?;
        Ok(server)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, with a query.
    pub fn url(&self, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("redis://127.0.0.1:{}/0{mark}{query}", self.port)
    }

    /// Ends it as a power cut would.
    ///
    /// # Panics
    ///
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Starts it again where it was, with the files it had.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start_again(&mut self) {
        self.child = launch(self.port, &self.folder, &self.args).expect("start again");
        self.wait().expect("it answers again");
    }

    /// Stops it as SIGSTOP does: it keeps its connections and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has a number"), signal).expect("a signal");
    }

    /// The first line of the answer to a command; `None` where there is none.
    pub fn says(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        write!(stream, "{command}\r\n").ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    }

    fn wait(&self) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < START_MAX {
            if answers(self.port) {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let log = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
        Err(format!("redis-server did not start: {log}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(port: u16, folder: &Path, args: &[String]) -> Result<Child, String> {
    let mut server = Command::new("redis-server");
    if args.iter().any(|arg| arg == "--sentinel") {
        // A Sentinel writes into its configuration file, so it needs one.
        let file = folder.join("sentinel.conf");
        let text = format!("port {port}\nbind 127.0.0.1\ndir {}\n", folder.display());
        fs::write(&file, text).map_err(|error| error.to_string())?;
        // What follows the name of the mode are settings.
        server.arg(&file).args(args);
    } else {
        server
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder)
            .args(args);
    }
    let mut log = File::options();
    let log = log.create(true).append(true).open(folder.join(LOG));
    let started = server
        .stdin(Stdio::null())
        .stdout(log.map_err(|error| format!("no log: {error}"))?)
        .stderr(Stdio::null())
        .spawn();
    started.map_err(|error| {
        format!("redis-server cannot be started ({error}); install it: apt install redis-server")
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
///
/// # Panics
///
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
