//! Closed epochs are handed out and finished.

use longshore_core::{Changed, EpochChange, EpochState, Fate, Receipt, Settled};

use crate::Stage;
use crate::case::cases;
use crate::collecting::{TURN_LEASE, key, of_size, orders, part, parts};
use crate::draft::secs;

cases! { "aggregate_releasing";
    23 a_closed_epoch_is_one_workers_until_its_lease_ends,
    23 it_is_handed_out_again_under_the_same_id,
    23 a_stale_receipt_finishes_nothing,
    23 a_finish_after_the_lease_counts_until_another_hand_out,
    23 a_released_epoch_is_never_handed_out_again,
    23 what_is_put_off_comes_back_when_it_is_time,
    23 nothing_is_gone_before_it_is_finished,
    23 closed_first_is_handed_out_first,
    23 no_more_than_asked_for_is_handed_out,
    23 a_receipt_of_nothing_finishes_nothing,
    23 a_discarded_epoch_is_gone_and_counted,
    23 what_a_worker_has_is_not_discarded,
    23 ids_differ_between_aggregates_of_one_key,
}

async fn a_closed_epoch_is_one_workers_until_its_lease_ends(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    let closed = stage.closed_one().await;
    let other = stage.subject.reopen().await;
    assert!(stage.turn_at(&other, 10).await.closed.is_empty());
    let until = Some(stage.now().plus(TURN_LEASE));
    let EpochState::Closed { leased_until, .. } = closed.info.state else {
        panic!("{closed:?}");
    };
    assert_eq!(leased_until, until);
    assert_eq!(stage.turn_at(&other, 10).await.next, until);
    stage.advance(TURN_LEASE);
    assert_eq!(stage.turn_at(&other, 10).await.closed.len(), 1);
}

async fn it_is_handed_out_again_under_the_same_id(stage: Stage) {
    stage.collect(&of_size(2), &parts("ann", ["1", "2"])).await;
    let first = stage.closed_one().await;
    stage.advance(TURN_LEASE);
    let second = stage.closed_one().await;
    assert_eq!(first.id, second.id);
    assert_eq!((first.info.epoch, first.by), (second.info.epoch, second.by));
    assert_ne!(first.receipt, second.receipt);
    assert_eq!(stage.bodies_of(&second).await, ["1", "2"]);
}

async fn a_stale_receipt_finishes_nothing(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    let old = stage.closed_one().await;
    stage.advance(TURN_LEASE);
    let new = stage.closed_one().await;
    for fate in [Fate::Released, Fate::Dead, Fate::PutOff(secs(1))] {
        assert_eq!(stage.finish(&old, fate).await, Settled::LeaseLost);
    }
    assert_eq!(stage.bodies_of(&new).await, ["1"]);
    assert_eq!(stage.finish(&new, Fate::Released).await, Settled::Applied);
    assert_eq!(stage.numbers().await.released, 1);
}

async fn a_finish_after_the_lease_counts_until_another_hand_out(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    let closed = stage.closed_one().await;
    stage.advance(TURN_LEASE * 2);
    assert_eq!(
        stage.finish(&closed, Fate::Released).await,
        Settled::Applied
    );
    stage.nothing_closed().await;
}

async fn a_released_epoch_is_never_handed_out_again(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    let closed = stage.closed_one().await;
    assert_eq!(
        stage.finish(&closed, Fate::Released).await,
        Settled::Applied
    );
    assert_eq!(
        stage.finish(&closed, Fate::Released).await,
        Settled::LeaseLost
    );
    stage.advance(TURN_LEASE * 2);
    stage.nothing_closed().await;
    assert!(stage.bodies_of(&closed).await.is_empty());
    let numbers = stage.numbers().await;
    assert_eq!((numbers.released, numbers.closed_epochs), (1, 0));
}

async fn what_is_put_off_comes_back_when_it_is_time(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    let closed = stage.closed_one().await;
    let put_off = Fate::PutOff(secs(60));
    assert_eq!(stage.finish(&closed, put_off).await, Settled::Applied);
    stage.advance(secs(59));
    stage.nothing_closed().await;
    stage.advance(secs(1));
    let again = stage.closed_one().await;
    assert_eq!(again.id, closed.id);
    assert_eq!(
        stage.finish(&closed, Fate::Released).await,
        Settled::LeaseLost
    );
}

async fn nothing_is_gone_before_it_is_finished(stage: Stage) {
    stage.collect(&of_size(2), &parts("ann", ["1", "2"])).await;
    for _ in 0..3 {
        let closed = stage.closed_one().await;
        assert_eq!(stage.bodies_of(&closed).await, ["1", "2"]);
        stage.advance(secs(3600));
    }
}

async fn closed_first_is_handed_out_first(stage: Stage) {
    for (n, of) in ["c", "a", "b"].into_iter().enumerate() {
        stage
            .collect(&of_size(1), &[part(of, &n.to_string())])
            .await;
        stage.advance(secs(1));
    }
    let closed = stage.closed().await;
    let keys: Vec<_> = closed.iter().map(|one| one.info.key.as_str()).collect();
    assert_eq!(keys, ["c", "a", "b"]);
}

async fn no_more_than_asked_for_is_handed_out(stage: Stage) {
    let all: Vec<_> = (0..5).map(|n| part(&format!("k{n}"), "x")).collect();
    stage.collect(&of_size(1), &all).await;
    let turned = stage.turn_at(&stage.store, 2).await;
    assert_eq!((turned.closed.len(), turned.more), (2, true));
    let turned = stage.turn_at(&stage.store, 3).await;
    assert_eq!((turned.closed.len(), turned.more), (3, false));
}

async fn a_receipt_of_nothing_finishes_nothing(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    for bytes in [&b""[..], b"x", &[0; 16], &[255; 24]] {
        let receipt = Receipt::from_bytes(bytes.to_vec());
        let done = [(receipt, Fate::Released)];
        let outcomes = stage.aggregates().finish(orders(), &done).await;
        assert_eq!(outcomes.expect("finish"), [Settled::LeaseLost]);
    }
    assert_eq!(stage.closed().await.len(), 1);
}

async fn a_discarded_epoch_is_gone_and_counted(stage: Stage) {
    stage.collect(&of_size(9), &parts("ann", ["1", "2"])).await;
    stage.collect(&of_size(1), &[part("bob", "3")]).await;
    let aggregates = stage.aggregates();
    let epochs = stage.epochs_by(None, 10).await;
    let discard: Vec<_> = epochs
        .iter()
        .map(|one| (one.key.clone(), one.epoch, EpochChange::Discard))
        .collect();
    assert_eq!(discard.len(), 2);
    let changed = aggregates.change(orders(), &discard).await;
    assert_eq!(changed.expect("change"), [Changed::Applied; 2]);
    let changed = aggregates.change(orders(), &discard).await;
    assert_eq!(changed.expect("change"), [Changed::NotFound; 2]);
    stage.nothing_closed().await;
    let numbers = stage.numbers().await;
    assert_eq!((numbers.discarded, numbers.open, numbers.closed), (3, 0, 0));
    for one in &epochs {
        assert!(stage.bodies_by(&one.key, one.epoch, 10).await.is_empty());
    }
}

async fn what_a_worker_has_is_not_discarded(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    let closed = stage.closed_one().await;
    let discard = [(key("ann"), closed.info.epoch, EpochChange::Discard)];
    let aggregates = stage.aggregates();
    let changed = aggregates.change(orders(), &discard).await;
    assert_eq!(changed.expect("change"), [Changed::Leased]);
    assert_eq!(
        stage.finish(&closed, Fate::PutOff(secs(5))).await,
        Settled::Applied
    );
    let changed = aggregates.change(orders(), &discard).await;
    assert_eq!(changed.expect("change"), [Changed::Applied]);
}

async fn ids_differ_between_aggregates_of_one_key(stage: Stage) {
    let other = longshore_core::AggregateName::new("other").expect("a name");
    let aggregates = stage.aggregates();
    let one = [part("ann", "1")];
    aggregates
        .append(&other, &of_size(1), &one)
        .await
        .expect("append");
    let turn = longshore_core::Turn {
        max: crate::stage::count(10),
        lease: TURN_LEASE,
    };
    let of_other = aggregates.turn(&other, turn).await.expect("turn");
    stage.collect(&of_size(1), &one).await;
    let closed = stage.closed_one().await;
    assert_ne!(closed.id, of_other.closed[0].id);
}
