//! Figures from what the servers of a store count.

use std::time::Duration;

use longshore::core::ServerCounts;

use super::report::{Figure, Goal};

/// What the servers counted during a part of a bench.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    before: ServerCounts,
    after: ServerCounts,
}

impl Counted {
    /// Between two looks; nothing where the servers cannot be asked.
    pub(crate) fn between(
        before: Option<ServerCounts>,
        after: Option<ServerCounts>,
    ) -> Option<Self> {
        let (before, after) = (before?, after?);
        Some(Self { before, after })
    }

    /// What moving so many messages cost.
    pub(crate) fn of_messages(self, messages: u64, took: Duration) -> [Figure; 4] {
        let transactions = self
            .after
            .transactions
            .saturating_sub(self.before.transactions);
        let each = |count: u64| count as f64 / messages as f64;
        let writes = self.after.writes.saturating_sub(self.before.writes);
        [
            figure("lightweight transactions", each(transactions), "a message"),
            figure(
                "lightweight transactions",
                transactions as f64 / took.as_secs_f64(),
                "a second",
            ),
            figure(
                "rows written, by all replicas",
                each(writes),
                "mutations a message",
            ),
            Figure {
                goal: Some(Goal::AtMost(100.0)),
                ..figure(
                    "deleted rows passed by one read, at most",
                    self.after.tombstones_max as f64,
                    "rows",
                )
            },
        ]
    }

    /// What an idle worker costs.
    pub(crate) fn of_idling(self, span: Duration) -> [Figure; 2] {
        let second =
            |after: u64, before: u64| after.saturating_sub(before) as f64 / span.as_secs_f64();
        [
            figure(
                "an idle worker process, reads by replicas",
                second(self.after.reads, self.before.reads),
                "a second",
            ),
            figure(
                "an idle worker process, lightweight transactions",
                second(self.after.transactions, self.before.transactions),
                "a second",
            ),
        ]
    }
}

fn figure(name: &'static str, value: f64, unit: &'static str) -> Figure {
    Figure {
        name,
        value,
        unit,
        goal: None,
    }
}
