//! Named leases and their epochs.

use std::time::Duration;

use longshore_core::{Backend, LeaseName, NamedLease, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::draft::{MILLI, just_before, secs};
use crate::stage::refused;

cases! { "leases";
    16 a_free_lease_is_taken,
    16 a_held_lease_is_refused_to_others,
    16 the_same_holder_keeps_its_epoch,
    16 an_ended_lease_is_taken_with_a_greater_epoch,
    16 the_epoch_grows_even_for_the_same_holder_after_the_end,
    16 a_released_lease_is_free_at_once,
    16 an_epoch_never_comes_twice,
    16 a_renewed_lease_lasts_from_now,
    16 an_ended_lease_that_nobody_took_is_renewed,
    16 a_lost_lease_is_not_renewed,
    16 a_released_lease_is_not_renewed,
    16 a_stale_release_is_ignored,
    16 names_are_apart,
    16 every_handle_sees_the_holder,
    16 a_lease_of_zero_is_refused,
}

pub(super) fn lease(text: &str) -> LeaseName {
    LeaseName::new(text).expect("a lease name")
}

pub(crate) async fn acquire(at: &Backend, holder: &str) -> Option<NamedLease> {
    let name = lease("intake:orders");
    let taken = at.leases.acquire(&name, holder, secs(30)).await;
    taken.expect("acquire")
}

async fn current(stage: &Stage) -> Option<NamedLease> {
    let name = lease("intake:orders");
    stage.store.leases.current(&name).await.expect("current")
}

async fn renew(stage: &Stage, held: &NamedLease) -> Option<NamedLease> {
    let renewed = stage.store.leases.renew(held, secs(30)).await;
    renewed.expect("renew")
}

async fn release(stage: &Stage, held: &NamedLease) {
    stage.store.leases.release(held).await.expect("release");
}

/// It says who has it, since which epoch and until when.
async fn a_free_lease_is_taken(stage: Stage) {
    assert_eq!(current(&stage).await, None);
    let held = acquire(&stage.store, "a").await.expect("it is free");
    assert_eq!(held.name, lease("intake:orders"));
    assert_eq!(
        (held.holder.as_str(), held.until),
        ("a", stage.now().plus(secs(30)))
    );
    assert!(held.epoch >= 1);
    assert_eq!(current(&stage).await, Some(held));
}

/// Up to its last millisecond.
async fn a_held_lease_is_refused_to_others(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(just_before(secs(30)));
    assert_eq!(acquire(&stage.store, "b").await, None);
    assert_eq!(current(&stage).await, Some(held));
}

/// Acquiring what one has makes it last longer, no more.
async fn the_same_holder_keeps_its_epoch(stage: Stage) {
    let first = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(secs(10));
    let second = acquire(&stage.store, "a").await.expect("it is its own");
    assert_eq!(second.epoch, first.epoch);
    assert_eq!(second.until, stage.now().plus(secs(30)));
}

/// The fence for other systems grows with every change of holder.
async fn an_ended_lease_is_taken_with_a_greater_epoch(stage: Stage) {
    let first = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(secs(30));
    assert_eq!(current(&stage).await, None);
    let second = acquire(&stage.store, "b").await.expect("it ended");
    assert!(second.epoch > first.epoch);
}

/// In between somebody else might have had it, for all it knows.
async fn the_epoch_grows_even_for_the_same_holder_after_the_end(stage: Stage) {
    let first = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(secs(30));
    let second = acquire(&stage.store, "a").await.expect("it ended");
    assert!(second.epoch > first.epoch);
}

/// Nobody waits for the end of what was given back.
async fn a_released_lease_is_free_at_once(stage: Stage) {
    let first = acquire(&stage.store, "a").await.expect("it is free");
    release(&stage, &first).await;
    assert_eq!(current(&stage).await, None);
    let second = acquire(&stage.store, "b").await.expect("it was released");
    assert!(second.epoch > first.epoch);
}

/// However a lease is passed around.
async fn an_epoch_never_comes_twice(stage: Stage) {
    let mut before = 0;
    for round in 0..6 {
        let holder = ["a", "b"][round % 2];
        let held = acquire(&stage.store, holder).await.expect("it is free");
        assert!(held.epoch > before, "round {round}");
        before = held.epoch;
        if round < 3 {
            release(&stage, &held).await;
        } else {
            stage.advance(secs(30));
        }
    }
}

/// The new end counts from now.
async fn a_renewed_lease_lasts_from_now(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(secs(20));
    let renewed = renew(&stage, &held).await.expect("it is held");
    assert_eq!(renewed.epoch, held.epoch);
    assert_eq!(renewed.until, stage.now().plus(secs(30)));
    stage.advance(just_before(secs(30)));
    assert_eq!(acquire(&stage.store, "b").await, None);
    stage.advance(MILLI);
    assert!(acquire(&stage.store, "b").await.is_some());
}

/// A holder that was late keeps what nobody else wanted.
async fn an_ended_lease_that_nobody_took_is_renewed(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(secs(100));
    let renewed = renew(&stage, &held).await.expect("nobody took it");
    assert_eq!(renewed.epoch, held.epoch);
    assert_eq!(acquire(&stage.store, "b").await, None);
}

/// Who lost it learns so.
async fn a_lost_lease_is_not_renewed(stage: Stage) {
    let old = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(secs(30));
    let new = acquire(&stage.store, "b").await.expect("it ended");
    assert_eq!(renew(&stage, &old).await, None);
    assert_eq!(current(&stage).await, Some(new));
}

/// What was given back is gone.
async fn a_released_lease_is_not_renewed(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    release(&stage, &held).await;
    assert_eq!(renew(&stage, &held).await, None);
    assert_eq!(current(&stage).await, None);
}

/// An old holder cannot end the lease of a new one.
async fn a_stale_release_is_ignored(stage: Stage) {
    let old = acquire(&stage.store, "a").await.expect("it is free");
    stage.advance(secs(30));
    let new = acquire(&stage.store, "b").await.expect("it ended");
    release(&stage, &old).await;
    assert_eq!(current(&stage).await, Some(new.clone()));
    release(&stage, &new).await;
    let again = acquire(&stage.store, "a").await.expect("it is free");
    release(&stage, &new).await;
    assert_eq!(current(&stage).await, Some(again));
}

/// One lease says nothing about another.
async fn names_are_apart(stage: Stage) {
    acquire(&stage.store, "a").await.expect("it is free");
    let leases = &stage.store.leases;
    let other = leases.acquire(&lease("intake:other"), "b", secs(30)).await;
    assert!(other.expect("acquire").is_some());
}

/// A lease lies in the store.
async fn every_handle_sees_the_holder(stage: Stage) {
    let other = stage.subject.reopen().await;
    let held = acquire(&stage.store, "a").await.expect("it is free");
    assert_eq!(acquire(&other, "b").await, None);
    let seen = other.leases.current(&held.name).await.expect("current");
    assert_eq!(seen, Some(held));
}

/// A lease that ends at once is a mistake.
async fn a_lease_of_zero_is_refused(stage: Stage) {
    let leases = &stage.store.leases;
    let name = lease("intake:orders");
    let answer = leases.acquire(&name, "a", Duration::ZERO).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::InvalidInput);
    let held = acquire(&stage.store, "a").await.expect("it is free");
    let answer = leases.renew(&held, Duration::ZERO).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::InvalidInput);
}
