//! What the benchmarks work on.

use std::time::Duration;

use longshore_core::{
    Clause, Dedup, DedupKey, DelayTable, ErrorPolicy, GroupName, Headers, IdOrigin, JobKind, Label,
    Message, MessageId, NewMessage, PolicyChange, Timestamp, TraceContext,
};

/// 2026-01-01, so that every run encodes the same bytes.
const NOW: i64 = 1_767_225_600_000;

fn new_message(body_bytes: usize) -> NewMessage {
    let id: MessageId = "018f3c7a-5b2e-7d11-9a3b-0123456789ab"
        .parse()
        .expect("the sample id is an id");
    let kind = JobKind::new("resize").expect("the sample kind is a kind");
    NewMessage::new(id, IdOrigin::Fresh, kind, vec![b'x'; body_bytes])
}

/// A message with nothing but a body.
pub fn plain_message(body_bytes: usize) -> Message {
    new_message(body_bytes).stored_at(Timestamp::from_millis(NOW), None)
}

/// A message that uses every field.
///
/// # Panics
///
/// When a name in here is none.
pub fn full_message(body_bytes: usize) -> Message {
    let mut message = new_message(body_bytes);
    message.headers = Headers::from_iter([("bill", "yes"), ("tenant", "north"), ("width", "640")]);
    message.group = Some(GroupName::new("order-7").expect("a group name"));
    message.dedup = Some(Dedup {
        key: DedupKey::new("order-7/640").expect("a dedup key"),
        window: Dedup::WINDOW_DEFAULT,
    });
    message.trace = Some(TraceContext {
        parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        state: String::new(),
    });
    let expires = Some(Duration::from_secs(86_400));
    message.stored_at(Timestamp::from_millis(NOW), expires)
}

/// A policy with as many clauses as a long route file has.
///
/// # Panics
///
/// When a label in here is none.
pub fn policy(clauses: usize) -> ErrorPolicy {
    let mut policy = ErrorPolicy::default();
    policy.delays =
        DelayTable::new([(1, Duration::from_secs(1)), (5, Duration::from_secs(60))]).ok();
    policy.clauses = (0..clauses)
        .map(|number| Clause {
            pattern: Label::new(format!("http.{}", 400 + number)).expect("a label"),
            at_route: number % 2 == 0,
            change: PolicyChange {
                redeliveries: Some(20),
                ..PolicyChange::default()
            },
            action: None,
        })
        .collect();
    policy
}
