//! The Cassandra cluster of a test run, and its nodes one by one.

use std::env;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use uuid::Uuid;

use crate::wait::until;

/// The three nodes that `./tests/run` started.
#[derive(Debug)]
pub struct CassandraCluster {
    contact_points: String,
    folder: String,
}

/// Nodes that are not there for a while; they are back once this is gone.
#[derive(Debug)]
pub struct NodesAway<'a> {
    cluster: &'a CassandraCluster,
    numbers: Vec<u32>,
    /// The word that brings them back.
    back: &'static str,
}

impl CassandraCluster {
    /// Finds it. `None` where the environment says aloud that there is to be none
    /// (`./tests/run --without cassandra`).
    ///
    /// # Panics
    ///
    /// When there is none and nobody said so: a test that is not run is not a test that passed.
    pub fn find() -> Option<Self> {
        let without = env::var("LONGSHORE_TEST_WITHOUT").unwrap_or_default();
        if without.split_whitespace().any(|name| name == "cassandra") {
            eprintln!("left out, as told: Cassandra");
            return None;
        }
        let told = |name: &str| {
            env::var(name).unwrap_or_else(|_| {
                panic!(
                    "{name} is not set: run `./tests/run system`, which starts the nodes, or \
                     say `./tests/run --without cassandra system`"
                )
            })
        };
        Some(Self {
            contact_points: told("LONGSHORE_TEST_CASSANDRA"),
            folder: told("LONGSHORE_TEST_CASSANDRA_DIR"),
        })
    }

    /// A store in a cell that no other test has: cells see nothing of each other.
    pub fn store(&self) -> String {
        let cell = fastrand::u16(1..32_000);
        format!(
            "cassandra://{}/longshore_system?dc=dc1&cell={cell}",
            self.contact_points
        )
    }

    /// A store in a keyspace that is not there yet.
    pub fn store_without_tables(&self) -> String {
        let name = fastrand::u64(..);
        format!("cassandra://{}/system_{name:x}?dc=dc1", self.contact_points)
    }

    /// Ends nodes, counted from 1 on, as `kill -9` does.
    ///
    /// # Panics
    ///
    /// When one did not run.
    pub fn kill(&self, numbers: &[u32]) -> NodesAway<'_> {
        self.away("kill", numbers, "restart")
    }

    /// Stops nodes as SIGSTOP does.
    ///
    /// # Panics
    ///
    /// When one did not run.
    pub fn pause(&self, numbers: &[u32]) -> NodesAway<'_> {
        self.away("pause", numbers, "resume")
    }

    /// Says something to all nodes, in the words of `nodetool`. Answers what each said.
    ///
    /// # Panics
    ///
    /// When one refuses.
    pub fn tell_all(&self, words: &[&str]) -> Vec<String> {
        thread::scope(|scope| {
            let told = ["1", "2", "3"].map(|number| scope.spawn(|| self.tell(number, words)));
            let told = told.map(|answer| answer.join().expect("a node is told"));
            Vec::from(told)
        })
    }

    /// Says something to one node, in the words of `nodetool`. Answers what it said.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub fn tell(&self, number: &str, words: &[&str]) -> String {
        self.launcher("tell", &[&[number], words].concat())
    }

    /// The number of the node whose id is the greatest; the ids are dealt when nodes first start.
    ///
    /// # Panics
    ///
    /// When a node does not say who they are.
    pub fn of_greatest_id(&self) -> String {
        let status = self.tell("1", &["status"]);
        let greatest = status.lines().filter_map(node_of_line).max();
        greatest.expect("nodes have ids").1
    }

    /// Waits until each node has seen each other one.
    ///
    /// # Panics
    ///
    /// When they do not in a minute.
    pub fn until_whole(&self) {
        until("nodes that see each other", Duration::from_secs(60), || {
            let sees_all = |said: &String| said.lines().filter(|line| is_up(line)).count() == 3;
            self.tell_all(&["status"]).iter().all(sees_all)
        });
    }

    fn away(&self, verb: &str, numbers: &[u32], back: &'static str) -> NodesAway<'_> {
        let numbers = numbers.to_vec();
        self.launcher(verb, &words(&numbers));
        NodesAway {
            cluster: self,
            numbers,
            back,
        }
    }

    fn launcher<S: AsRef<OsStr> + Debug>(&self, verb: &str, words: &[S]) -> String {
        let launcher = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cassandra/cluster");
        let mut command = Command::new(launcher);
        command.args(["--dir", &self.folder, verb]).args(words);
        let output = command.output().expect("the launcher starts");
        assert!(output.status.success(), "{verb} {words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The id of the node that a line of `nodetool status` tells of, and its number.
fn node_of_line(line: &str) -> Option<(Uuid, String)> {
    let mut words = line.split_whitespace();
    let address = words.nth(1)?;
    let id = words.find_map(|word| word.parse().ok())?;
    Some((id, address.rsplit('.').next()?.to_owned()))
}

fn is_up(line: &str) -> bool {
    line.starts_with("UN ")
}

fn words(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

impl NodesAway<'_> {
    /// Brings them back; killed ones and those that live have seen each other when this answers.
    pub fn back(self) {}
}

impl Drop for NodesAway<'_> {
    fn drop(&mut self) {
        self.cluster.launcher(self.back, &words(&self.numbers));
    }
}
