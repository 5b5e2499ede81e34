//! Checks of arguments that every store makes before it writes anything.
//!
//! They live here so that all stores refuse the same calls with the same words.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    AggregateRules, AttemptRecord, Content, Delivery, Disposition, ERROR_BYTES_MAX, NewMessage,
    NewPart, QueueSettings, Result, SettingsChange, Settlement, StoreError, StoreErrorKind,
    StoreLimits, StoredMessage, TraceContext,
};

/// The name of a worker in an attempt record has at most this many bytes.
pub const WORKER_BYTES_MAX: usize = 512;

/// Each of the two trace headers has at most this many bytes.
pub const TRACE_BYTES_MAX: usize = 1024;

/// Refuses a batch that holds more than the store takes in one call.
pub fn check_count(operation: &'static str, count: usize, limits: &StoreLimits) -> Result<()> {
    let max = limits.batch_max.get() as usize;
    if count <= max {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::TooLarge,
        operation,
        format!("the batch holds {count} items, at most {max} are allowed; split it"),
    ))
}

/// Refuses messages over a limit. Settings are those of the queue they go to.
pub fn check_batch(
    operation: &'static str,
    batch: &[NewMessage],
    settings: &QueueSettings,
    limits: &StoreLimits,
) -> Result<()> {
    check_count(operation, batch.len(), limits)?;
    let body_max = settings.body_bytes_max(limits);
    for new in batch {
        check_message(operation, new, body_max).map_err(|error| error.with("id", new.id))?;
    }
    Ok(())
}

fn check_message(operation: &'static str, new: &NewMessage, body_max: usize) -> Result<()> {
    check_body(operation, &new.body, body_max)?;
    if let Err(wrong) = new.headers.check() {
        return Err(StoreError::invalid_input(operation, wrong));
    }
    if new
        .dedup
        .as_ref()
        .is_some_and(|dedup| dedup.window.is_zero())
    {
        return Err(StoreError::invalid_input(
            operation,
            "the dedup window is zero; name how long a repeat is recognised",
        ));
    }
    new.trace
        .as_ref()
        .map_or(Ok(()), |trace| check_trace(operation, trace))
}

fn check_body(operation: &'static str, body: &Bytes, max: usize) -> Result<()> {
    if body.len() <= max {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::TooLarge,
        operation,
        format!(
            "the body has {} bytes, at most {max} are allowed",
            body.len()
        ),
    ))
}

fn check_trace(operation: &'static str, trace: &TraceContext) -> Result<()> {
    for (name, text) in [("traceparent", &trace.parent), ("tracestate", &trace.state)] {
        if text.len() > TRACE_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(StoreError::invalid_input(
                operation,
                format!(
                    "{name} must be at most {TRACE_BYTES_MAX} bytes without control characters"
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses parts over a limit, and rules that make no sense. Answers the rules with what they left
/// to the store.
pub fn check_parts(
    operation: &'static str,
    mut rules: AggregateRules,
    parts: &[NewPart],
    limits: &StoreLimits,
) -> Result<AggregateRules> {
    check_count(operation, parts.len(), limits)?;
    let most = limits.body_bytes_max as u64 / 4;
    let bytes_max = rules.bytes_max.unwrap_or(rules.bytes_max().min(most));
    if bytes_max > most {
        let said = format!(
            "bytes_max is {bytes_max}, this store takes at most {most}: an epoch must fit into one \
             message"
        );
        return Err(StoreError::invalid_input(operation, said));
    }
    rules.bytes_max = Some(bytes_max);
    rules
        .check()
        .map_err(|wrong| StoreError::invalid_input(operation, wrong))?;
    let body_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    for part in parts {
        check_message(operation, &part.message, body_max)
            .map_err(|error| error.with("id", part.message.id))?;
    }
    Ok(rules)
}

/// Refuses a lease that would end at once.
pub fn check_lease(operation: &'static str, lease: Duration) -> Result<()> {
    if lease >= Duration::from_millis(1) {
        return Ok(());
    }
    Err(StoreError::invalid_input(
        operation,
        "the lease is shorter than 1 ms; it would end at once",
    ))
}

/// Refuses settlements over a limit.
pub fn check_settlements(
    operation: &'static str,
    batch: &[Settlement],
    limits: &StoreLimits,
) -> Result<()> {
    check_count(operation, batch.len(), limits)?;
    for item in batch {
        check_checkpoint(operation, item.disposition.checkpoint())?;
        match &item.disposition {
            Disposition::Ack | Disposition::Release { .. } => {}
            Disposition::Retry { record, .. } | Disposition::DeadLetter { record, .. } => {
                check_record(operation, record)?;
            }
        }
    }
    Ok(())
}

fn check_checkpoint(operation: &'static str, checkpoint: Option<&Bytes>) -> Result<()> {
    let max = Delivery::CHECKPOINT_BYTES_MAX;
    match checkpoint {
        Some(bytes) if bytes.len() > max => Err(StoreError::invalid_input(
            operation,
            format!(
                "the checkpoint has {} bytes, at most {max} are allowed",
                bytes.len()
            ),
        )),
        _ => Ok(()),
    }
}

fn check_record(operation: &'static str, record: &AttemptRecord) -> Result<()> {
    if record.error.len() > ERROR_BYTES_MAX || record.worker.len() > WORKER_BYTES_MAX {
        return Err(StoreError::invalid_input(
            operation,
            format!(
                "an attempt record takes at most {ERROR_BYTES_MAX} bytes of error and \
                 {WORKER_BYTES_MAX} of worker"
            ),
        ));
    }
    Ok(())
}

/// Refuses messages that this store cannot take over. The settings of the queue do not bind
/// them: what was accepted once is not refused on a move.
pub fn check_adopted(
    operation: &'static str,
    messages: &[StoredMessage],
    limits: &StoreLimits,
) -> Result<()> {
    check_count(operation, messages.len(), limits)?;
    for stored in messages {
        let body = match &stored.content {
            Content::Intact(message) => &message.body,
            Content::Damaged { body, .. } => body,
        };
        check_body(operation, body, limits.body_bytes_max)
            .and_then(|()| check_checkpoint(operation, stored.checkpoint.as_ref()))
            .map_err(|error| error.with("id", stored.id()))?;
    }
    Ok(())
}

/// Refuses settings that no queue of this store can keep.
pub fn check_change(
    operation: &'static str,
    change: &SettingsChange,
    limits: &StoreLimits,
) -> Result<()> {
    if change.expires_ms == Some(0) {
        return Err(StoreError::invalid_input(
            operation,
            "expires is zero: every message would expire at once",
        ));
    }
    match change.body_max {
        Some(max) if max > limits.body_bytes_max as u64 => Err(StoreError::invalid_input(
            operation,
            format!(
                "body_max is {max} bytes, this store takes at most {}",
                limits.body_bytes_max
            ),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Due, IdOrigin, JobKind, MessageId, Receipt};
    use uuid::Uuid;

    fn new(body: usize) -> NewMessage {
        let id = MessageId::from_uuid(Uuid::nil());
        NewMessage::new(id, IdOrigin::Given, JobKind::default(), vec![0; body])
    }

    #[test]
    fn the_limit_is_allowed_and_one_more_is_not() {
        let limits = StoreLimits::exact();
        let settings = QueueSettings {
            body_max: Some(10),
            ..QueueSettings::default()
        };
        assert!(check_batch("enqueue", &[new(10)], &settings, &limits).is_ok());
        let refused = check_batch("enqueue", &[new(1), new(11)], &settings, &limits).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::TooLarge);
        assert!(refused.to_string().contains("at most 10 are allowed"));
        let max = limits.batch_max.get() as usize;
        assert!(check_count("extend", max, &limits).is_ok());
        assert!(check_count("extend", max + 1, &limits).is_err());
    }

    #[test]
    fn a_checkpoint_of_64_kib_is_the_greatest() {
        let settle = |bytes: usize| {
            [Settlement {
                receipt: Receipt::from_bytes(vec![1]),
                disposition: Disposition::Release {
                    due: Some(Due::NOW),
                    checkpoint: Some(vec![0; bytes].into()),
                },
            }]
        };
        let limits = StoreLimits::exact();
        assert!(check_settlements("settle", &settle(64 * 1024), &limits).is_ok());
        let refused = check_settlements("settle", &settle(64 * 1024 + 1), &limits).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidInput);
        assert!(check_lease("receive", Duration::ZERO).is_err());
    }

    #[test]
    fn traces_records_and_leases_have_their_bounds() {
        let trace = |parent: &str| {
            let trace = TraceContext {
                parent: parent.to_owned(),
                state: String::new(),
            };
            check_trace("enqueue", &trace).is_ok()
        };
        assert!(trace(&"x".repeat(TRACE_BYTES_MAX)));
        assert!(!trace(&"x".repeat(TRACE_BYTES_MAX + 1)));
        assert!(!trace("a\nb"));
        let record = |worker: usize| {
            let at = crate::Timestamp::EPOCH;
            let label = crate::Label::lossy("x");
            let record = AttemptRecord::new("w".repeat(worker), at, at, label, "e");
            check_record("settle", &record).is_ok()
        };
        assert!(record(WORKER_BYTES_MAX) && !record(WORKER_BYTES_MAX + 1));
        assert!(check_lease("receive", Duration::from_millis(1)).is_ok());
        assert!(check_lease("receive", Duration::from_micros(999)).is_err());
    }

    #[test]
    fn settings_that_no_queue_can_keep_are_refused() {
        let limits = StoreLimits::exact();
        let most = limits.body_bytes_max as u64;
        for (body_max, expires_ms, is_sound) in [
            (None, None, true),
            (Some(most), Some(1), true),
            (Some(most + 1), None, false),
            (None, Some(0), false),
        ] {
            let mut change = SettingsChange::default();
            (change.body_max, change.expires_ms) = (body_max, expires_ms);
            let checked = check_change("configure", &change, &limits);
            assert_eq!(checked.is_ok(), is_sound, "{change:?}");
        }
    }
}
