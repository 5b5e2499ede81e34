//! Two data centres of two Cassandra nodes each, with a wire between them that can be cut.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{LONGSHORE, Place, Process, binary};

/// Two data centres in network namespaces of their own; they are gone after the test.
#[derive(Debug)]
pub struct DataCentres {
    folder: PathBuf,
}

impl DataCentres {
    /// Starts them. `None` where the environment says aloud that there is to be no Cassandra, and
    /// where this user may lay no network, which is said aloud, too.
    ///
    /// # Panics
    ///
    /// When they do not start.
    pub fn start(place: &Place) -> Option<Self> {
        let without = env::var("LONGSHORE_TEST_WITHOUT").unwrap_or_default();
        if without.split_whitespace().any(|name| name == "cassandra") {
            eprintln!("left out, as told: two data centres");
            return None;
        }
        let mut probe = Command::new("unshare");
        let may = probe.args(["--net", "true"]).stderr(Stdio::null()).status();
        if !may.is_ok_and(|status| status.success()) {
            eprintln!("LEFT OUT: two data centres; they want root, for network namespaces");
            return None;
        }
        let centres = Self {
            folder: place.path("two-data-centres"),
        };
        let mut start = launcher();
        start.arg("--dir").arg(&centres.folder).arg("--two");
        if let Ok(one) = env::var("LONGSHORE_TEST_CASSANDRA_DIR") {
            let jars = fs::read_to_string(Path::new(&one).join("jars"));
            start
                .arg("--jars")
                .arg(jars.expect("the cluster of the run has jars"));
        }
        start.args(["--owner", &std::process::id().to_string(), "start"]);
        done(start.output().expect("the launcher starts"));
        Some(centres)
    }

    /// The store as processes of a data centre name it.
    pub fn store(&self, centre: u8) -> String {
        format!(
            "cassandra://10.77.{centre}.1:9042,10.77.{centre}.2:9042/longshore_two\
             ?dc=dc{centre}&rf=dc1:2,dc2:2&timeout=20s"
        )
    }

    /// Lets nothing through between them.
    pub fn cut(&self) {
        self.tell("cut");
    }

    /// Lets everything through again.
    pub fn heal(&self) {
        self.tell("heal");
    }

    /// Calls the command line in a data centre, with this on its standard input.
    ///
    /// # Panics
    ///
    /// When it fails or prints no JSON.
    pub fn json(&self, centre: u8, arguments: &[&str], input: &str) -> Value {
        let file = self.folder.join(format!("input-{}", fastrand::u64(..)));
        fs::write(&file, input).expect("a file");
        let mut command = self.within(centre, &["--json"]);
        command.args(arguments);
        let input = fs::File::open(&file).expect("a file");
        let output = command.stdin(input).output().expect("longshore starts");
        serde_json::from_slice(&done(output).stdout).expect("JSON")
    }

    /// Starts the command line in a data centre.
    pub fn start_in(&self, place: &Place, centre: u8, arguments: &[&str]) -> Process {
        let mut command = self.within(centre, &[]);
        command.args(arguments);
        Process::spawn(place, "worker", command)
    }

    fn within(&self, centre: u8, options: &[&str]) -> Command {
        let mut command = launcher();
        command.arg("--dir").arg(&self.folder);
        command
            .args(["in", &centre.to_string()])
            .arg(binary(LONGSHORE));
        command.args(["--store", &self.store(centre)]).args(options);
        command
    }

    fn tell(&self, word: &str) {
        let mut command = launcher();
        command.arg("--dir").arg(&self.folder).arg(word);
        done(command.output().expect("the launcher starts"));
    }
}

impl Drop for DataCentres {
    fn drop(&mut self) {
        let mut command = launcher();
        command.arg("--dir").arg(&self.folder).arg("stop");
        // What is left is stopped when this process is gone.
        let _ = command.output();
    }
}

fn launcher() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../cassandra/cluster"))
}

fn done(output: Output) -> Output {
    assert!(output.status.success(), "{output:?}");
    output
}
