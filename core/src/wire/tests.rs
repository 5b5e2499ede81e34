use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::{DecodeError, FRAME, checksum, decode, encode, encode_new};
use crate::{
    Dedup, DedupKey, Due, GroupName, Headers, IdOrigin, JobKind, Lane, Message, MessageId,
    NewMessage, Timestamp, TraceContext,
};

fn id() -> MessageId {
    "018f3c7a-5b2e-7d11-9a3b-0123456789ab".parse().unwrap()
}

fn plain() -> Message {
    NewMessage::new(
        id(),
        IdOrigin::Fresh,
        JobKind::new("resize").unwrap(),
        "hello",
    )
    .stored_at(Timestamp::from_millis(1_767_225_600_000), None)
}

fn full() -> Message {
    let mut new = NewMessage::new(
        id(),
        IdOrigin::Given,
        JobKind::new("mail.send").unwrap(),
        vec![0, 255],
    );
    new.headers = Headers::from_iter([("bill", "yes"), ("width", "640")]);
    new.group = Some(GroupName::new("order-7").unwrap());
    new.lane = Lane::Low;
    new.due = Some(Due::In(Duration::from_secs(60)));
    new.expires = Some(Due::In(Duration::from_secs(3600)));
    new.dedup = Some(Dedup {
        key: DedupKey::new("u1").unwrap(),
        window: Dedup::WINDOW_DEFAULT,
    });
    new.trace = Some(TraceContext {
        parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        state: String::new(),
    });
    new.stored_at(Timestamp::from_millis(1_767_225_600_000), None)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

/// Heads as version 1 wrote them when it was released. They are read forever: if this test
/// fails, the stored form changed and every queue in the field is unreadable.
#[test]
fn vectors_of_version_1_do_not_change() {
    let vectors = include_str!("vectors-v1.txt");
    let mut lines = vectors.lines().filter(|line| !line.starts_with('#'));
    for message in [plain(), full()] {
        let written = lines.next().unwrap();
        assert_eq!(hex(&encode(&message)), written);
        assert_eq!(
            decode(&unhex(written), message.body.clone()).unwrap(),
            message
        );
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn every_flipped_bit_and_every_cut_is_damage() {
    let message = full();
    let head = encode(&message);
    for bit in 0..head.len() * 8 {
        let mut bent = head.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        let answer = decode(&bent, message.body.clone());
        assert!(
            matches!(answer, Err(DecodeError::Damaged(_))),
            "bit {bit}: {answer:?}"
        );
    }
    for length in 0..head.len() {
        assert!(decode(&head[..length], message.body.clone()).is_err());
    }
    assert!(decode(&head, Bytes::from_static(b"other")).is_err());
}

/// Short and long bodies take different ways to the same checksum.
#[test]
fn bodies_around_the_copying_bound_have_the_checksum_of_one_stream() {
    for length in [0, 1, 240, 241, 4095, 4096, 4097, 100_000] {
        let body: Vec<u8> = (0..length).map(|n: u32| n as u8).collect();
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for part in [&[1_u8][..], b"fields", &body] {
            hasher.update(part);
        }
        assert_eq!(checksum(1, b"fields", &body), hasher.digest(), "{length}");
    }
}

#[test]
fn a_newer_version_is_told_from_damage() {
    let message = plain();
    let mut head = encode(&message);
    head[1] = 9;
    let sum = checksum(9, &head[FRAME..], &message.body);
    head[2..FRAME].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(decode(&head, message.body), Err(DecodeError::Newer(9)));
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        headers in proptest::collection::btree_map("[a-z]{1,8}", "[ -~]{0,20}", 0..5),
        group in proptest::option::of("[ -~]{1,20}"),
        lane in 0_u8..3,
        expires in proptest::option::of(0_u64..100_000),
    ) {
        let mut new = NewMessage::new(id(), IdOrigin::Fresh, JobKind::default(), body);
        new.headers = headers.into_iter().collect();
        new.group = group.map(|name| GroupName::new(name).unwrap());
        new.lane = Lane::from_number(lane).unwrap();
        new.expires = expires.map(|secs| Due::In(Duration::from_secs(secs)));
        let now = Timestamp::from_millis(1_000);
        let message = new.stored_at(now, None);
        let head = encode(&message);
        let mut unstored = b"what the buffer held before".to_vec();
        encode_new(&new, now, None, &mut unstored);
        prop_assert_eq!(&unstored, &head);
        prop_assert_eq!(decode(&head, message.body.clone()), Ok(message));
    }

    #[test]
    fn arbitrary_bytes_never_panic(head in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&head, Bytes::new());
        let mut framed = vec![0xD7, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        framed.extend_from_slice(&head);
        let sum = checksum(1, &head, &[]);
        framed[2..FRAME].copy_from_slice(&sum.to_le_bytes());
        let _ = decode(&framed, Bytes::new());
    }
}

/// What was read is written again as it was; with a checksum that is right, and as it came.
#[test]
fn any_bytes_are_a_message_or_damaged_fuzzed() {
    let samples: Vec<Vec<u8>> = [plain(), full()]
        .iter()
        .map(|message| {
            let mut input = encode(message);
            input.extend_from_slice(&message.body);
            input
        })
        .collect();
    longshore_fuzz::fuzz("stored-form", &samples, |input| {
        let (head, body) = input.split_at(input.len().saturating_sub(5));
        let body = Bytes::copy_from_slice(body);
        let mut sealed = head.to_vec();
        if let Some(fields) = sealed.get(FRAME..) {
            let sum = checksum(sealed[1], fields, &body);
            sealed[2..FRAME].copy_from_slice(&sum.to_le_bytes());
        }
        let ways = [head, &sealed].map(|head| match decode(head, body.clone()) {
            Ok(message) => {
                let again = decode(&encode(&message), body.clone());
                assert_eq!(again.as_ref(), Ok(&message));
                format!(
                    "{:?}",
                    (
                        &message.lane,
                        message.group.is_some(),
                        message.dedup.is_some()
                    )
                )
            }
            Err(error) => error.to_string(),
        });
        ways.join(", ")
    });
}
