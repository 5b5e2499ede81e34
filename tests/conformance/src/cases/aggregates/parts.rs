//! What becomes of a part that is appended.

use longshore_core::{Appended, EpochState, StoreErrorKind, Timestamp};

use crate::Stage;
use crate::case::cases;
use crate::collecting::{key, of_size, orders, part, parts, rules};
use crate::stage::refused;

cases! { "aggregate_parts";
    21 parts_of_a_key_are_in_one_epoch,
    21 keys_are_apart,
    21 aggregates_are_apart,
    21 a_repeat_is_a_duplicate_and_counts_once,
    21 a_repeat_in_one_call_is_a_duplicate,
    21 a_repeat_under_another_key_is_a_duplicate,
    21 parts_are_ordered_by_position_then_by_id,
    21 a_part_comes_back_as_it_was_stored,
    21 parts_come_in_pages_of_any_size,
    21 another_handle_sees_the_parts,
    12 a_part_over_the_limit_is_refused_and_nothing_is_stored,
    12 rules_that_make_no_sense_are_refused,
    12 too_many_parts_in_one_call_are_refused,
    21 an_empty_call_creates_nothing_to_release,
}

async fn parts_of_a_key_are_in_one_epoch(stage: Stage) {
    let rules = of_size(3);
    stage.collect(&rules, &parts("ann", ["1", "2"])).await;
    let open = stage.epoch_of("ann").await;
    assert_eq!((open.parts, open.bytes, open.missing()), (2, 2, Some(1)));
    assert!(matches!(open.state, EpochState::Open { due: None }));
    let bodies = stage.bodies_by(&key("ann"), open.epoch, 10).await;
    assert_eq!(bodies, ["1", "2"]);
    let numbers = stage.numbers().await;
    assert_eq!(
        (numbers.accepted, numbers.open, numbers.open_epochs),
        (2, 2, 1)
    );
}

async fn keys_are_apart(stage: Stage) {
    let rules = of_size(2);
    let mixed = [part("ann", "a"), part("bob", "b"), part("Ann", "c")];
    stage.collect(&rules, &mixed).await;
    stage.nothing_closed().await;
    stage.collect(&rules, &[part("bob", "d")]).await;
    let closed = stage.closed_one().await;
    assert_eq!(closed.info.key, key("bob"));
    assert_eq!(stage.bodies_of(&closed).await, ["b", "d"]);
    assert_eq!(stage.numbers().await.open_epochs, 2);
}

/// Also ids: the same message may be a part of two aggregates.
async fn aggregates_are_apart(stage: Stage) {
    let one = part("ann", "1");
    stage.collect(&of_size(2), std::slice::from_ref(&one)).await;
    let other = longshore_core::AggregateName::new("orders.2").expect("a name");
    let aggregates = stage.aggregates();
    let appended = aggregates.append(&other, &of_size(2), &[one]).await;
    assert_eq!(appended.expect("append").outcomes, [Appended::Stored]);
    stage.nothing_closed().await;
}

async fn a_repeat_is_a_duplicate_and_counts_once(stage: Stage) {
    let rules = of_size(2);
    let one = part("ann", "1");
    stage.collect(&rules, std::slice::from_ref(&one)).await;
    let again = stage.append(&rules, std::slice::from_ref(&one)).await;
    assert_eq!(again.outcomes, [Appended::Duplicate]);
    stage.nothing_closed().await;
    stage.collect(&rules, &[part("ann", "2")]).await;
    let closed = stage.closed_one().await;
    assert_eq!(stage.bodies_of(&closed).await, ["1", "2"]);
    // The epoch is closed and not released yet.
    let again = stage.append(&rules, &[one]).await;
    assert_eq!(again.outcomes, [Appended::Duplicate]);
    assert_eq!(stage.numbers().await.accepted, 2);
}

async fn a_repeat_in_one_call_is_a_duplicate(stage: Stage) {
    let one = part("ann", "1");
    let answer = stage.append(&of_size(9), &[one.clone(), one]).await;
    assert_eq!(answer.outcomes, [Appended::Stored, Appended::Duplicate]);
}

/// An id is one part of the aggregate, whatever its key is.
async fn a_repeat_under_another_key_is_a_duplicate(stage: Stage) {
    let one = part("ann", "1");
    let mut other = one.clone();
    other.key = key("bob");
    stage.collect(&of_size(9), &[one]).await;
    let answer = stage.append(&of_size(9), &[other]).await;
    assert_eq!(answer.outcomes, [Appended::Duplicate]);
}

/// In whatever order they came.
async fn parts_are_ordered_by_position_then_by_id(stage: Stage) {
    let mut all = parts("ann", ["a", "b", "c", "d"]);
    for (part, position) in all.iter_mut().zip([30, 10, 20, 20]) {
        part.position = Timestamp::from_millis(position);
    }
    let mut tied = [(all[2].message.id, "c"), (all[3].message.id, "d")];
    tied.sort_unstable();
    for part in &all {
        stage.collect(&of_size(4), std::slice::from_ref(part)).await;
    }
    let closed = stage.closed_one().await;
    let wanted = ["b", tied[0].1, tied[1].1, "a"];
    assert_eq!(stage.bodies_of(&closed).await, wanted);
}

async fn a_part_comes_back_as_it_was_stored(stage: Stage) {
    let mut one = part("Kunde 7/é", "x");
    one.message.body = vec![0, 255, b'"', b'\n'].into();
    one.message.headers.insert("a b", "é");
    one.message.kind = longshore_core::JobKind::new("order.line").expect("a kind");
    stage.collect(&of_size(1), std::slice::from_ref(&one)).await;
    let closed = stage.closed_one().await;
    let aggregates = stage.aggregates();
    let page = aggregates.parts(
        orders(),
        &one.key,
        closed.info.epoch,
        None,
        crate::stage::count(10),
    );
    let page = page.await.expect("parts");
    let wanted = one.message.stored_at(one.position, None);
    let longshore_core::Content::Intact(kept) = &page.items[0].content else {
        panic!("damaged");
    };
    assert_eq!(
        (kept.id, &kept.kind, &kept.body),
        (wanted.id, &wanted.kind, &wanted.body)
    );
    assert_eq!(kept.headers, wanted.headers);
    assert_eq!(kept.enqueued_at, one.position);
}

async fn parts_come_in_pages_of_any_size(stage: Stage) {
    let bodies: Vec<_> = (0..25).map(|n| format!("{n:02}")).collect();
    let all: Vec<_> = bodies.iter().map(|body| part("ann", body)).collect();
    stage.collect(&of_size(100), &all).await;
    let open = stage.epoch_of("ann").await;
    for max in [1, 7, 25, 100] {
        let read = stage.bodies_by(&key("ann"), open.epoch, max).await;
        assert_eq!(read, bodies, "by {max}");
    }
}

async fn another_handle_sees_the_parts(stage: Stage) {
    stage.collect(&of_size(2), &[part("ann", "1")]).await;
    let other = Stage {
        store: stage.subject.reopen().await,
        ..stage
    };
    other.collect(&of_size(2), &[part("ann", "2")]).await;
    let closed = other.closed_one().await;
    assert_eq!(other.bodies_of(&closed).await, ["1", "2"]);
}

async fn a_part_over_the_limit_is_refused_and_nothing_is_stored(stage: Stage) {
    let mut rules = of_size(9);
    rules.bytes_max = Some(10);
    let batch = [part("ann", "1"), part("ann", "12345678901")];
    let answer = stage.aggregates().append(orders(), &rules, &batch).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::TooLarge);
    let again = stage.append(&rules, &batch[..1]).await;
    assert_eq!(again.outcomes, [Appended::Stored]);
}

async fn rules_that_make_no_sense_are_refused(stage: Stage) {
    let nothing = rules(|_| {});
    let huge = rules(|rules| {
        rules.size = Some(1);
        rules.bytes_max = Some(u64::MAX);
    });
    for bad in [nothing, of_size(0), huge] {
        let answer = stage
            .aggregates()
            .append(orders(), &bad, &[part("a", "1")])
            .await;
        assert_eq!(
            refused(answer).kind(),
            StoreErrorKind::InvalidInput,
            "{bad:?}"
        );
    }
}

async fn too_many_parts_in_one_call_are_refused(stage: Stage) {
    let max = stage.store.queues.limits().batch_max.get();
    let many: Vec<_> = (0..=max).map(|_| part("ann", "x")).collect();
    let answer = stage
        .aggregates()
        .append(orders(), &of_size(9), &many)
        .await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::TooLarge);
}

async fn an_empty_call_creates_nothing_to_release(stage: Stage) {
    let answer = stage.append(&of_size(1), &[]).await;
    assert!(answer.outcomes.is_empty() && !answer.is_ready && answer.next.is_none());
    stage.nothing_closed().await;
}
