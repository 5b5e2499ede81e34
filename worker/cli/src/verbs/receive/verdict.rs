//! What becomes of a message after its program: the default policy.

use longshore::Connection;
use longshore::core::{
    AttemptRecord, DeadReason, Decision, Delivery, Disposition, Due, ErrorPolicy, Failure,
    OnGroupDead, QueueSettings, Timestamp,
};

use crate::identity;

/// The policy and what else decides.
#[derive(Debug)]
pub(super) struct Verdict {
    connection: Connection,
    policy: ErrorPolicy,
    park_group: bool,
}

impl Verdict {
    /// The verdicts for messages of a queue with these settings.
    pub(super) fn new(connection: &Connection, settings: &QueueSettings) -> Self {
        Self {
            connection: connection.clone(),
            policy: ErrorPolicy::default(),
            park_group: settings.on_group_dead == Some(OnGroupDead::Park),
        }
    }

    /// The end of a message that is given up unrun, because too many attempts went before.
    pub(super) fn unrun(&self, delivery: &Delivery, now: Timestamp) -> Option<Disposition> {
        let reason = self.policy.refuses(delivery.attempt, delivery.vanished())?;
        let failure = Failure::permanent("given up unrun: too many attempts before it");
        Some(self.dead_letter(reason, &failure, now))
    }

    /// The end of a message whose program ended so.
    pub(super) fn of(
        &self,
        delivery: &Delivery,
        failure: Option<&Failure>,
        started_at: Timestamp,
    ) -> Disposition {
        let Some(failure) = failure else {
            return Disposition::Ack;
        };
        let random = fastrand::f64();
        match self.policy.decide(failure, delivery.attempt, 0, random) {
            Decision::Retry(delay) => Disposition::Retry {
                due: Due::In(delay),
                record: self.record(failure, started_at),
                checkpoint: None,
            },
            Decision::DeadLetter(reason) => self.dead_letter(reason, failure, started_at),
            Decision::Release(delay) => release(Some(Due::In(delay))),
            // The default policy has no clauses and so no other decision.
            _ => self.dead_letter(DeadReason::Permanent, failure, started_at),
        }
    }

    fn dead_letter(
        &self,
        reason: DeadReason,
        failure: &Failure,
        started_at: Timestamp,
    ) -> Disposition {
        Disposition::DeadLetter {
            reason,
            record: self.record(failure, started_at),
            park_group: self.park_group,
            checkpoint: None,
        }
    }

    fn record(&self, failure: &Failure, started_at: Timestamp) -> AttemptRecord {
        AttemptRecord::new(
            identity::worker(),
            started_at,
            self.connection.clock().now(),
            failure.labelled().clone(),
            failure.to_string(),
        )
    }
}

/// Given back uncharged.
pub(super) fn release(due: Option<Due>) -> Disposition {
    Disposition::Release {
        due,
        checkpoint: None,
    }
}
