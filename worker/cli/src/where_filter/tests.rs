use longshore::core::{
    AttemptRecord, DeadMark, DeadReason, GroupName, IdOrigin, JobKind, Label, MessageId,
    MessageState, NewMessage, StoredMessage, Timestamp,
};

use super::Condition;

const NOW: i64 = 10_000_000_000;

fn dead() -> StoredMessage {
    let id = MessageId::from_content(&[b"x"]);
    let kind = JobKind::new("resize").unwrap();
    let mut new = NewMessage::new(id, IdOrigin::Given, kind, "");
    new.headers.insert("tenant", "acme");
    new.group = Some(GroupName::new("g7").unwrap());
    let at = Timestamp::from_millis(NOW - 3_600_000);
    let mut stored = StoredMessage::waiting(new.stored_at(at, None));
    stored.attempts = 7;
    stored.history.push(
        7,
        AttemptRecord::new("w", at, at, Label::lossy("http.503"), "Gateway Timed Out"),
    );
    stored.state = MessageState::Dead(DeadMark::new(
        DeadReason::Exhausted,
        Some("Gateway Timed Out".into()),
        at,
        false,
    ));
    stored
}

fn takes(condition: &str) -> bool {
    let condition: Condition = condition.parse().unwrap();
    condition.takes(&dead(), Timestamp::from_millis(NOW))
}

#[test]
fn conditions_compare_text_numbers_and_times() {
    for yes in [
        "reason=exhausted",
        "kind=resize",
        "kind~SIZE",
        "error~timed out",
        "label=http.503",
        "label~http",
        "group=g7",
        "header.tenant=acme",
        "attempts=7",
        "attempts>6",
        "attempts<8",
        "dead_at>2h",
        "dead_at<30m",
        "dead_at<1970-06-01T00:00:00Z",
        "first_enqueued_at>1970-01-02T00:00:00Z",
    ] {
        assert!(takes(yes), "{yes}");
    }
    for no in [
        "reason=expired",
        "kind=resi",
        "error~no such text",
        "group=g8",
        "header.tenant=other",
        "header.none=acme",
        "header.none~",
        "attempts>7",
        "dead_at>30m",
        "dead_at<2h",
    ] {
        assert!(!takes(no), "{no}");
    }
}

#[test]
fn conditions_that_cannot_be_meant_get_a_sentence() {
    let table = [
        ("reason", "has no = ~ < or >"),
        ("raeson=x", "did you mean \"reason\"?"),
        ("reason=exhuasted", "did you mean \"exhausted\"?"),
        ("attempts>many", "not a number"),
        ("attempts=-1", "not a number"),
        ("kind<a", "has no order"),
        ("dead_at>soon", "not a time"),
        ("header.=x", "not a field"),
        ("=x", "not a field"),
        ("id=7", "not a message id"),
    ];
    for (text, expected) in table {
        let error = text.parse::<Condition>().unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
