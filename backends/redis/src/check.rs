//! What `longshore doctor` asks about a server.
//!
//! **Owns** the questions about persistence, eviction, clocks and rights, and what keeps a queue
//! from being worked ([`stuck`]). Each finding names its fix.
//!
//! **Invariant.** A question that the user may not ask, or that a managed server does not answer,
//! is a finding of its own and never fails the others.
//!
//! **Who writes.** Nobody: a doctor only looks.

mod durability;
pub(crate) mod stuck;

use std::collections::HashMap;
use std::time::Duration;

use longshore_core::{Finding, Result, Severity};
use redis::cmd;

use crate::check::durability::{durability, meaning};
use crate::clock::this_machine;
use crate::config::AckLevel;
use crate::store::RedisStore;

/// From so many percent of maxmemory on it is time to do something.
const NEARLY_FULL: u64 = 85;
/// Clocks that are further apart than this are worth a word.
const CLOCK_OFF_MAX: Duration = Duration::from_secs(1);

impl RedisStore {
    pub(crate) async fn findings(&self) -> Result<Vec<Finding>> {
        let info = self.info().await?;
        let config = self.config().await;
        let mut findings = vec![
            version(&info),
            memory(&info),
            durability(
                self.session.ack(),
                self.session.waits(),
                &info,
                config.as_ref(),
            ),
            role(&info),
            replicas(self.session.ack(), &info, config.as_ref()),
            self.clock().await?,
        ];
        findings.extend(self.stuck().await?);
        Ok(findings)
    }

    /// Says in the log what an acknowledgement means here, where the user may know; and warns where
    /// the server cannot give what the URL asks for.
    pub(crate) async fn announce_meaning(&self) {
        let ack = self.session.ack();
        if !tracing::enabled!(tracing::Level::INFO) && !matches!(ack, AckLevel::Replicas(_)) {
            return;
        }
        let Ok(info) = self.info().await else {
            return;
        };
        if let Some(missing) = missing_replicas(ack, connected(&info)) {
            tracing::warn!("{missing}");
        }
        let aof = get(&info, "aof_enabled") == "1";
        let means = meaning(ack, aof, self.config().await.as_ref());
        tracing::info!("{means}");
    }

    /// Compares the server's clock with this machine's, to within half of what an answer takes.
    async fn clock(&self) -> Result<Finding> {
        let asked = this_machine();
        let time = self.session.command("check", &cmd("TIME")).await?;
        let answered = this_machine();
        let [seconds, micros] = time.fixed()?;
        let server = Duration::from_secs(seconds.count()?) + Duration::from_micros(micros.count()?);
        Ok(clock(server, asked, answered))
    }

    async fn info(&self) -> Result<HashMap<String, String>> {
        let text = self.session.command("check", &cmd("INFO")).await?.text()?;
        Ok(text
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect())
    }

    /// `None` where the user may not read the configuration.
    async fn config(&self) -> Option<HashMap<String, String>> {
        let mut ask = cmd("CONFIG");
        ask.arg("GET")
            .arg("appendonly")
            .arg("appendfsync")
            .arg("no-appendfsync-on-rewrite")
            .arg("min-replicas-to-write");
        let words = self
            .session
            .command("check", &ask)
            .await
            .ok()?
            .list()
            .ok()?;
        let words: Vec<String> = words
            .into_iter()
            .filter_map(|word| word.text().ok())
            .collect();
        let pairs = words.chunks_exact(2);
        Some(
            pairs
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect(),
        )
    }
}

fn get<'a>(map: &'a HashMap<String, String>, key: &str) -> &'a str {
    map.get(key).map_or("", String::as_str)
}

fn get_of<'a>(map: Option<&'a HashMap<String, String>>, key: &str) -> &'a str {
    map.map_or("", |map| get(map, key))
}

/// What the server's clock shows beside what this machine's did before and after it was asked.
fn clock(server: Duration, asked: Duration, answered: Duration) -> Finding {
    let ahead = server.saturating_sub(answered);
    let behind = asked.saturating_sub(server);
    let off = ahead.max(behind);
    if off <= CLOCK_OFF_MAX {
        return Finding::new(
            Severity::Ok,
            "clock",
            "the server's clock and this machine's agree",
        );
    }
    let way = if ahead > behind { "ahead of" } else { "behind" };
    let found = format!(
        "the server's clock is {:.1} s {way} this machine's: leases, due times and expiry go by \
         the server's, times that programs name by theirs",
        off.as_secs_f64()
    );
    Finding::new(Severity::Warning, "clock", found)
        .fix("keep the clocks of all hosts together, by NTP or chrony")
}

fn version(info: &HashMap<String, String>) -> Finding {
    // A fork tells the version of Redis that it is like, and its own beside it.
    let (name, own) = match get(info, "valkey_version") {
        "" => ("Redis", get(info, "redis_version")),
        own => ("Valkey", own),
    };
    let text = get(info, "redis_version");
    let major: u32 = text
        .split('.')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    if major >= 7 {
        return Finding::new(Severity::Ok, "version", format!("{name} {own}"));
    }
    Finding::new(
        Severity::Problem,
        "version",
        format!("Redis {text} is too old"),
    )
    .fix("run Redis 7.0 or newer, or Valkey")
}

fn memory(info: &HashMap<String, String>) -> Finding {
    let policy = get(info, "maxmemory_policy");
    let number = |key| get(info, key).parse::<u64>().unwrap_or(0);
    let (used, max) = (number("used_memory"), number("maxmemory"));
    if policy != "noeviction" && !policy.is_empty() {
        let found = format!("maxmemory-policy is {policy}: a full server throws messages away");
        return Finding::new(Severity::Problem, "memory", found)
            .fix("CONFIG SET maxmemory-policy noeviction");
    }
    if max == 0 {
        let found = "there is no maxmemory: the queue may grow until the host is out of memory";
        return Finding::new(Severity::Warning, "memory", found).fix("set maxmemory");
    }
    memory_used(used.saturating_mul(100) / max)
}

fn memory_used(percent: u64) -> Finding {
    let found = format!("{percent} % of maxmemory is used");
    match percent {
        100.. => Finding::new(
            Severity::Problem,
            "memory",
            format!("{found}: every enqueue is refused; receive and settle go on"),
        )
        .fix(
            "let workers empty the queues, or raise it by CONFIG SET maxmemory; a depth_max on \
             each queue keeps it from filling up",
        ),
        NEARLY_FULL.. => Finding::new(Severity::Warning, "memory", found)
            .fix("raise maxmemory, or add workers: at 100 % every enqueue is refused"),
        _ => Finding::new(Severity::Ok, "memory", found),
    }
}

fn role(info: &HashMap<String, String>) -> Finding {
    match get(info, "role") {
        "master" => Finding::new(Severity::Ok, "role", "the server is a primary"),
        other => Finding::new(
            Severity::Problem,
            "role",
            format!("the server is a {other}: it takes no writes"),
        )
        .fix("name the primary, or use redis+sentinel://"),
    }
}

fn connected(info: &HashMap<String, String>) -> u16 {
    get(info, "connected_slaves").parse().unwrap_or(0)
}

/// What follows where fewer replicas are there than an acknowledgement waits for.
fn missing_replicas(ack: AckLevel, connected: u16) -> Option<String> {
    let AckLevel::Replicas(wanted) = ack else {
        return None;
    };
    (connected < wanted).then(|| {
        format!(
            "the server has {connected} replica(s) and ack=replicas:{wanted} waits for {wanted}: \
             until more of them run, each enqueue ends as an error whose effect is unknown"
        )
    })
}

fn replicas(
    ack: AckLevel,
    info: &HashMap<String, String>,
    config: Option<&HashMap<String, String>>,
) -> Finding {
    let connected = connected(info);
    let found = format!("{connected} replica(s) are connected");
    if let Some(missing) = missing_replicas(ack, connected) {
        return Finding::new(Severity::Problem, "replicas", missing)
            .fix("start replicas of this server, or ask for fewer by ?ack=replicas:N");
    }
    let min = get_of(config, "min-replicas-to-write");
    let good = get(info, "min_slaves_good_slaves").parse::<u32>();
    if let (Ok(good), Ok(wanted)) = (good, min.parse::<u32>())
        && good < wanted
    {
        let found = format!(
            "min-replicas-to-write asks for {wanted} replica(s) that keep up and {good} do: the \
             server refuses every write"
        );
        return Finding::new(Severity::Problem, "replicas", found)
            .fix("start replicas, or lower min-replicas-to-write");
    }
    if connected > 0 && min == "0" {
        return Finding::new(
            Severity::Warning,
            "replicas",
            format!("{found}, none is required"),
        )
        .fix("CONFIG SET min-replicas-to-write 1: a primary that is cut off then stops taking");
    }
    Finding::new(Severity::Ok, "replicas", found)
}

#[cfg(test)]
mod tests;
