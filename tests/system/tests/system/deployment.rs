//! The shipped files for machines that run longshore, started as they say.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use longshore_system_tests::{Cli, Ending, LONGSHORE, Place, Process, until};
use rustix::process::Signal;

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("this crate lies in the repository")
        .to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn setting<'a>(unit: &'a str, key: &str) -> &'a str {
    let values = unit
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    values
        .reduce(|_, later| later)
        .unwrap_or_else(|| panic!("the unit has no {key}"))
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener
        .local_addr()
        .expect("a listener has an address")
        .to_string()
}

/// The status of a GET, or nothing while nobody listens.
fn status_of(address: &str, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// The command line of the unit, on this test's store, routes and port; with the socket that
/// systemd would listen on.
#[test]
fn the_systemd_unit_starts_a_worker_that_tells_how_it_is() {
    let unit = read("packaging/systemd/longshore-worker.service");
    let place = Place::new();
    let folder = place.folder().display().to_string();
    let routes = read("examples/compose/routes.toml").replace("/var/lib/longshore", &folder);
    let routes = place.write("routes.toml", routes);
    let address = free_address();

    let command = setting(&unit, "ExecStart");
    let mut words = command.split_whitespace();
    assert!(
        words
            .next()
            .is_some_and(|program| program.ends_with("/longshore")),
        "{command}"
    );
    let arguments: Vec<String> = words
        .map(|word| match word {
            "/etc/longshore/routes.toml" => routes.display().to_string(),
            "127.0.0.1:9464" => address.clone(),
            other => other.to_owned(),
        })
        .collect();
    assert!(arguments.contains(&address) && arguments.contains(&routes.display().to_string()));

    let socket = place.path("notify");
    let notices = UnixDatagram::bind(&socket).expect("a socket can be made");
    notices
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a time-out can be set");
    let (socket, store) = (socket.display().to_string(), place.store());
    let environment = [
        ("NOTIFY_SOCKET", socket.as_str()),
        ("LONGSHORE_STORE", store.as_str()),
    ];
    let mut worker = Process::start(&place, LONGSHORE, arguments, &environment);
    until_told(&notices, "READY=1");
    assert_eq!(status_of(&address, "/livez"), Some(200));
    assert_eq!(status_of(&address, "/readyz"), Some(200));
    assert_eq!(status_of(&address, "/metrics"), Some(200));

    let cli = Cli::new(&store);
    let order = cli.call(&["enqueue", "orders", "--kind", "order", "{\"number\":1}"]);
    assert_eq!(order.ending, Ending::Code(0), "{order:?}");
    let kept = place.path("orders.txt");
    until("the order in its file", Duration::from_secs(20), || {
        fs::metadata(&kept).is_ok_and(|file| file.len() > 64)
    });
    assert!(is_healthy(&address), "the container of a running worker");

    worker.signal(Signal::TERM);
    until_told(&notices, "STOPPING=1");
    assert_eq!(
        worker.wait(Duration::from_secs(20)),
        Ending::Code(0),
        "{}",
        worker.output()
    );
    assert!(!is_healthy(&address), "the container of one that ended");
}

/// What compose.yaml asks of a worker's container, asked of this one.
fn is_healthy(address: &str) -> bool {
    let compose = read("compose.yaml");
    let test = compose.lines().find_map(|line| {
        line.trim()
            .strip_prefix("test: ")
            .filter(|test| test.contains("livez"))
    });
    let test = test.expect("workers are asked how they are");
    let words: Vec<String> = serde_json::from_str(test).expect("a list of words");
    let [how, program, words @ ..] = &*words else {
        panic!("{words:?}");
    };
    assert_eq!(how, "CMD");
    let own = address.replace(':', "/");
    let words = words
        .iter()
        .map(|word| word.replace("127.0.0.1/9464", &own));
    Command::new(program)
        .args(words)
        .stderr(Stdio::null())
        .status()
        .expect("it can be asked")
        .success()
}

fn until_told(notices: &UnixDatagram, word: &str) {
    let mut buffer = [0; 4_096];
    loop {
        let length = notices.recv(&mut buffer);
        let length = length.unwrap_or_else(|error| panic!("{word} was not told: {error}"));
        let told = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if told.lines().any(|line| line == word) {
            return;
        }
    }
}

/// The commands of `compose.yaml` are commands of this program, and its routes are right.
#[test]
fn compose_names_commands_that_there_are() {
    let compose = read("compose.yaml");
    let cli = Cli::new("memory://compose");
    let command = compose
        .lines()
        .find(|line| line.contains("command: [\"run\""));
    let command = command.expect("a service runs routes");
    let help = cli.call(&["run", "--help"]).stdout;
    let flags: Vec<_> = command
        .split('"')
        .filter(|word| word.starts_with("--"))
        .collect();
    assert!(!flags.is_empty());
    for flag in flags {
        assert!(help.contains(flag), "`longshore run` has no {flag}: {help}");
    }
    for file in [
        "examples/compose/routes.toml",
        "examples/quickstart/quickstart.toml",
    ] {
        let path = repository().join(file).display().to_string();
        let checked = cli.call(&["routes", "check", &path]);
        assert_eq!(checked.ending, Ending::Code(0), "{checked:?}");
    }
}
