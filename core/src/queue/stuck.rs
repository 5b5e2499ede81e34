//! What keeps the messages of a queue from being worked.

use crate::{Finding, QueueName, QueueStats, Severity};

impl QueueStats {
    /// What holds messages of this queue up, each with what to do about it. Nothing where they
    /// only wait for a worker.
    pub fn stuck(&self, queue: &QueueName) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |found: String, fix: String| {
            let check = format!("queue {queue}");
            findings.push(Finding::new(Severity::Warning, check, found).fix(fix));
        };
        if let Some(pause) = &self.paused {
            let reason = match pause.reason.as_str() {
                "" => "no reason given",
                reason => reason,
            };
            let found = format!("paused by {}: {reason}", pause.author);
            add(found, format!("longshore resume {queue}"));
        }
        if let Some(mark) = &self.moving {
            let found = format!("being moved to {}", mark.to);
            add(found, "let the move end, or run it again".to_owned());
        }
        if self.parked > 0 {
            let found = match self.parked {
                1 => "1 dead letter holds its group".to_owned(),
                parked => format!("{parked} dead letters hold their groups"),
            };
            let fix = format!("longshore dead redrive {queue} ID, or discard");
            add(found, fix);
        }
        if self.set_aside > 0 {
            let found = match self.set_aside {
                1 => "1 message is of a newer version".to_owned(),
                many => format!("{many} messages are of a newer version"),
            };
            add(found, "upgrade the workers of this queue".to_owned());
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pause, Timestamp};

    #[test]
    fn each_obstacle_is_a_finding_and_waiting_is_none() {
        let queue = QueueName::new("mail").unwrap();
        let mut stats = QueueStats {
            waiting: 9,
            delayed: 3,
            dead: 2,
            ..QueueStats::default()
        };
        assert_eq!(stats.stuck(&queue), []);
        stats.paused = Some(Pause {
            author: "ada".to_owned(),
            reason: "a rush".to_owned(),
            since: Timestamp::EPOCH,
        });
        stats.parked = 1;
        stats.set_aside = 4;
        let found: Vec<_> = stats
            .stuck(&queue)
            .into_iter()
            .map(|one| one.found)
            .collect();
        assert_eq!(
            found,
            [
                "paused by ada: a rush",
                "1 dead letter holds its group",
                "4 messages are of a newer version"
            ]
        );
    }
}
