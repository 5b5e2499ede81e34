//! Working a backlog off through a small window.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_core::Disposition;
use uuid::Uuid;

use super::backlog::{Backlog, LEASE, WINDOW, numbers, retry};
use crate::protocol::stream_kind;

const MANY: usize = 50_000;

#[tokio::test]
async fn a_backlog_is_read_as_it_is_worked_off_in_order_also_across_a_takeover() {
    let mut backlog = Backlog::new();
    backlog.store(1, MANY, None).await;
    let mut shard = backlog.take_over().await;
    assert!(
        backlog.storage.read() < 2000,
        "{} rows",
        backlog.storage.read()
    );
    let mut all = Vec::new();
    let mut left_leased = Vec::new();
    while all.len() < MANY {
        let taken = backlog.receive(&mut shard, 70).await;
        assert!(!taken.is_empty(), "stuck after {} messages", all.len());
        all.extend(numbers(&taken));
        if left_leased.is_empty() && all.len() > MANY / 2 {
            // It is killed with some in its hands; another process goes on behind them.
            left_leased = numbers(&taken);
            shard = backlog.take_over().await;
            continue;
        }
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
        if all.len() % 49 == 0 {
            backlog.maintain(&mut shard).await;
        }
    }
    assert!(all.iter().copied().eq(1..=MANY as u128), "out of order");
    backlog.wait(LEASE);
    let again = backlog.receive(&mut shard, 1000).await;
    assert_eq!(numbers(&again), left_leased);
    backlog.end(&mut shard, &again, &Disposition::Ack).await;
    for _ in 0..3 {
        backlog.wait(Duration::from_secs(400));
        backlog.maintain(&mut shard).await;
    }
    assert_eq!(backlog.storage.buckets_left(), 0);
}

#[tokio::test]
async fn who_takes_over_reads_little_of_what_is_done() {
    let mut backlog = Backlog::new();
    backlog.store(1, 20_000, None).await;
    let mut shard = backlog.take_over().await;
    let mut done = 0;
    while done < 18_000 {
        let taken = backlog.receive(&mut shard, 100).await;
        done += taken.len();
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
    }
    // Some are leased, told by a row that lies before them.
    let held = backlog.receive(&mut shard, 100).await;
    backlog
        .end(&mut shard, &held[..90], &Disposition::Ack)
        .await;
    backlog.wait(Duration::from_secs(5));
    shard.note_watermark(backlog.now).await.expect("noted");
    let before = backlog.storage.read();
    shard = backlog.take_over().await;
    let read = backlog.storage.read() - before;
    assert!(read < 2000, "{read} rows");
    assert_eq!(
        numbers(&backlog.receive(&mut shard, 1).await),
        [18_101],
        "what is leased is not there for others"
    );
    backlog.wait(LEASE);
    // The same after the buckets are closed.
    backlog.maintain(&mut shard).await;
    shard.note_watermark(backlog.now).await.expect("noted");
    let before = backlog.storage.read();
    shard = backlog.take_over().await;
    let read = backlog.storage.read() - before;
    assert!(read < 2000, "{read} rows");
    let again = backlog.receive(&mut shard, 11).await;
    assert!(numbers(&again).into_iter().eq(18_091..=18_101));
    assert!(again.iter().all(|one| one.attempt == 2));
}

#[tokio::test]
async fn what_comes_late_while_the_window_is_full_is_found_by_the_next_sweep() {
    let mut backlog = Backlog::new();
    backlog.store(1, 600, None).await;
    let mut shard = backlog.take_over().await;
    let mut all = numbers(&backlog.receive(&mut shard, 1).await);
    // It comes to lie where the owner has read already.
    backlog.store_late(1, Duration::from_millis(590)).await;
    // As soon as there is nothing else.
    for _ in 0..20 {
        all.extend(numbers(&backlog.receive(&mut shard, 50).await));
        backlog.maintain(&mut shard).await;
    }
    all.sort_unstable();
    assert!(all.iter().copied().eq(1..=601), "{} messages", all.len());
}

#[tokio::test]
async fn what_comes_late_before_what_is_settled_is_found_at_the_close() {
    let mut backlog = Backlog::new();
    backlog.store(1, 100, None).await;
    let mut shard = backlog.take_over().await;
    let all = backlog.receive(&mut shard, 100).await;
    backlog.end(&mut shard, &all, &Disposition::Ack).await;
    backlog.wait(Duration::from_secs(10));
    backlog.maintain(&mut shard).await;
    shard.note_watermark(backlog.now).await.expect("noted");
    backlog.store_late(1, Duration::from_millis(10_050)).await;
    shard = backlog.take_over().await;
    assert!(backlog.receive(&mut shard, 9).await.is_empty());
    backlog.wait(Duration::from_secs(200));
    backlog.maintain(&mut shard).await;
    assert_eq!(numbers(&backlog.receive(&mut shard, 9).await), [101]);
}

#[tokio::test]
async fn a_busy_group_of_thousands_in_two_lanes_keeps_its_order() {
    let mut backlog = Backlog::new();
    for _ in 0..30 {
        backlog.store(0, 40, Some("g")).await;
        backlog.store(1, 60, Some("g")).await;
    }
    let mut shard = backlog.take_over().await;
    let mut all = Vec::new();
    while all.len() < 3000 {
        let taken = backlog.receive(&mut shard, 9).await;
        assert_eq!(taken.len(), 1, "after {} messages", all.len());
        all.extend(numbers(&taken));
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
        if all.len() == 1000 {
            shard = backlog.take_over().await;
        }
    }
    assert!(all.iter().copied().eq(1..=3000), "out of order");
}

#[tokio::test]
async fn what_fails_for_long_makes_room_for_others_and_comes_back() {
    let mut backlog = Backlog::new();
    backlog.store(1, 3000, None).await;
    let mut shard = backlog.take_over().await;
    let later = retry(backlog.now, Duration::from_secs(7200));
    let mut first = 0;
    while first < 3000 {
        let taken = backlog.receive(&mut shard, 50).await;
        assert!(!taken.is_empty(), "stuck after {first}");
        first += taken.len();
        backlog.end(&mut shard, &taken, &later).await;
        backlog.maintain(&mut shard).await;
    }
    // The ones that were moved wait for their time in rows alone.
    backlog.wait(Duration::from_secs(7300));
    let mut second = BTreeMap::new();
    loop {
        let taken = backlog.receive(&mut shard, 50).await;
        if taken.is_empty() {
            break;
        }
        for one in &taken {
            assert_eq!(one.attempt, 2);
            *second.entry(one.message.id).or_insert(0) += 1;
        }
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
    }
    assert_eq!(second.len(), 3000);
    assert!(second.values().all(|times| *times == 1));
}

#[tokio::test]
async fn delayed_messages_beyond_the_window_are_handed_out_when_due() {
    let mut backlog = Backlog::new();
    backlog.store_delayed(700, Duration::from_secs(3600)).await;
    let mut shard = backlog.take_over().await;
    assert!(shard.index.entries.len() <= WINDOW.far);
    assert!(backlog.receive(&mut shard, 9).await.is_empty());
    let wakes = shard.next_change(backlog.now).expect("a time");
    assert!(wakes <= backlog.now.plus(Duration::from_secs(3600)));
    backlog.wait(Duration::from_secs(4000));
    let mut all = Vec::new();
    loop {
        let taken = backlog.receive(&mut shard, 50).await;
        if taken.is_empty() {
            break;
        }
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
        all.extend(numbers(&taken));
    }
    all.sort_unstable();
    assert!(all.iter().copied().eq(1..=700), "{} messages", all.len());
}

#[tokio::test]
async fn what_lies_behind_is_listed_counted_and_found() {
    let mut backlog = Backlog::new();
    backlog.store(1, 5000, None).await;
    let mut shard = backlog.take_over().await;
    let held = shard.index.entries.len();
    assert!(held < 1000);
    let estimate = shard.estimate_own(backlog.now).await.expect("counted");
    assert_eq!(estimate.waiting as usize, 5000 - held);
    let mut last = None;
    let mut seen = Vec::new();
    loop {
        let page = shard.beyond_page(&stream_kind::PRIORITIES, last, 300, backlog.now, |_| true);
        let page = page.await.expect("a page");
        let Some((far, _)) = page.last() else { break };
        last = Some(*far);
        seen.extend(page.iter().map(|(_, view)| view.id().as_uuid().as_u128()));
    }
    assert!(seen.iter().copied().eq(held as u128 + 1..=5000));
    let (there, nowhere) = (Uuid::from_u128(4321), Uuid::from_u128(99_999));
    let whole = shard.reach(&[there, nowhere], backlog.now).await;
    assert!(whole.expect("looked"));
    assert!(shard.index.entries.contains_key(&there));
    // It keeps its place, and comes once.
    let mut all = Vec::new();
    while all.len() < 5000 {
        let taken = backlog.receive(&mut shard, 100).await;
        assert!(!taken.is_empty());
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
        all.extend(numbers(&taken));
    }
    assert!(all.iter().copied().eq(1..=5000));
}

#[tokio::test]
async fn whoever_takes_over_knows_all_that_hold_their_groups() {
    const GROUPS: usize = 3 * WINDOW.part;
    let mut backlog = Backlog::new();
    let names: Vec<_> = (0..GROUPS).map(|number| format!("g{number}")).collect();
    for name in &names {
        backlog.store(1, 1, Some(name)).await;
    }
    let mut shard = backlog.take_over().await;
    let later = retry(backlog.now, Duration::from_secs(7200));
    let mut heads = 0;
    while heads < GROUPS {
        let taken = backlog.receive(&mut shard, 50).await;
        assert!(!taken.is_empty(), "stuck after {heads} messages");
        heads += taken.len();
        backlog.end(&mut shard, &taken, &later).await;
    }
    // They move to a lane of their own.
    for _ in 0..3 {
        backlog.wait(Duration::from_secs(700));
        backlog.maintain(&mut shard).await;
    }
    for name in &names {
        backlog.store(1, 1, Some(name)).await;
    }
    shard = backlog.take_over().await;
    let passed = numbers(&backlog.receive(&mut shard, 50).await);
    assert!(
        passed.is_empty(),
        "{passed:?} passed the heads of their groups"
    );
    let known = shard
        .streams
        .get(&stream_kind::HOLDING)
        .map(|known| known.held);
    assert_eq!(known, Some(GROUPS));
}
