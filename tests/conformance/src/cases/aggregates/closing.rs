//! What completes an epoch.

use longshore_core::{
    Appended, Changed, CompletedBy, EpochChange, EpochState, Timestamp, WhenFull,
};

use crate::Stage;
use crate::case::cases;
use crate::collecting::{key, of_size, orders, part, parts, rules};
use crate::draft::secs;

cases! { "aggregate_closing";
    22 size_closes_at_once,
    22 more_parts_than_the_size_in_one_call_are_several_epochs,
    22 bytes_close_at_once,
    22 a_closing_part_closes_its_epoch,
    22 idle_time_counts_from_the_last_part,
    22 age_counts_from_the_first_part,
    22 an_interval_ends_for_all_keys_together,
    22 what_is_left_of_a_time_is_left_after_a_restart,
    22 a_part_after_the_end_opens_the_next_epoch_though_nobody_looked,
    22 the_rules_of_the_first_part_hold,
    22 a_person_closes_an_epoch_once,
    22 a_full_epoch_closes_without_the_part_that_does_not_fit,
    22 what_does_not_fit_is_set_aside_where_the_rules_say_so,
    22 an_answer_tells_when_to_look,
    22 many_timers_at_once_are_closed_in_several_turns,
    22 a_key_has_one_open_epoch,
}

async fn size_closes_at_once(stage: Stage) {
    let answer = stage.collect(&of_size(2), &[part("ann", "1")]).await;
    assert!(!answer.is_ready);
    stage.nothing_closed().await;
    let answer = stage.collect(&of_size(2), &[part("ann", "2")]).await;
    assert!(answer.is_ready);
    let closed = stage.closed_one().await;
    assert_eq!((closed.by, closed.info.parts), (CompletedBy::Size, 2));
    let EpochState::Closed { by, at, .. } = closed.info.state else {
        panic!("{closed:?}");
    };
    assert_eq!((by, at), (CompletedBy::Size, stage.now()));
}

async fn more_parts_than_the_size_in_one_call_are_several_epochs(stage: Stage) {
    stage
        .collect(&of_size(2), &parts("ann", ["1", "2", "3", "4", "5"]))
        .await;
    let closed = stage.closed().await;
    assert_eq!(closed.len(), 2);
    assert_eq!(stage.bodies_of(&closed[0]).await, ["1", "2"]);
    assert_eq!(stage.bodies_of(&closed[1]).await, ["3", "4"]);
    assert!(closed[0].info.epoch < closed[1].info.epoch);
    assert_ne!(closed[0].id, closed[1].id);
    assert_eq!(stage.numbers().await.open, 1);
}

async fn bytes_close_at_once(stage: Stage) {
    let rules = rules(|rules| rules.bytes = Some(5));
    stage.collect(&rules, &parts("ann", ["12", "34"])).await;
    stage.nothing_closed().await;
    stage.collect(&rules, &[part("ann", "5")]).await;
    let closed = stage.closed_one().await;
    assert_eq!((closed.by, closed.info.bytes), (CompletedBy::Bytes, 5));
}

async fn a_closing_part_closes_its_epoch(stage: Stage) {
    let rules = rules(|rules| rules.closing = true);
    stage.collect(&rules, &[part("ann", "1")]).await;
    let mut last = part("ann", "2");
    last.closing = true;
    stage.collect(&rules, &[last]).await;
    let closed = stage.closed_one().await;
    assert_eq!(closed.by, CompletedBy::Closing);
    assert_eq!(stage.bodies_of(&closed).await, ["1", "2"]);
    let mut alone = part("ann", "3");
    alone.closing = true;
    stage.collect(&rules, &[alone]).await;
    let closed = stage.closed_one().await;
    assert_eq!(stage.bodies_of(&closed).await, ["3"]);
}

async fn idle_time_counts_from_the_last_part(stage: Stage) {
    let rules = rules(|rules| rules.idle_ms = Some(10_000));
    let begun = stage.now();
    let answer = stage.collect(&rules, &[part("ann", "1")]).await;
    assert_eq!(answer.next, Some(begun.plus(secs(10))));
    stage.advance(secs(9));
    stage.collect(&rules, &[part("ann", "2")]).await;
    stage.advance(secs(9));
    // The first part's timer has run out, the last one's has not.
    stage.nothing_closed().await;
    let due = Some(begun.plus(secs(19)));
    assert_eq!(stage.epoch_of("ann").await.state, EpochState::Open { due });
    stage.advance(secs(1));
    let closed = stage.closed_one().await;
    assert_eq!((closed.by, closed.info.parts), (CompletedBy::Idle, 2));
}

async fn age_counts_from_the_first_part(stage: Stage) {
    let rules = rules(|rules| {
        rules.at_most_ms = Some(10_000);
        rules.idle_ms = Some(8_000);
    });
    stage.collect(&rules, &[part("ann", "1")]).await;
    stage.advance(secs(7));
    stage.collect(&rules, &[part("ann", "2")]).await;
    stage.advance(secs(2));
    stage.nothing_closed().await;
    stage.advance(secs(1));
    assert_eq!(stage.closed_one().await.by, CompletedBy::Age);
}

async fn an_interval_ends_for_all_keys_together(stage: Stage) {
    let rules = rules(|rules| rules.interval_ms = Some(60_000));
    let past = stage.now().as_millis().rem_euclid(60_000);
    let to_end = std::time::Duration::from_millis(60_000 - past.unsigned_abs());
    stage.collect(&rules, &[part("ann", "1")]).await;
    stage.advance(to_end / 2);
    stage.collect(&rules, &[part("bob", "2")]).await;
    stage.nothing_closed().await;
    stage.advance(to_end.saturating_sub(to_end / 2));
    let closed = stage.closed().await;
    assert_eq!(closed.len(), 2);
    assert!(closed.iter().all(|one| one.by == CompletedBy::Interval));
}

/// The other handle is another process: it knows nothing but what is stored.
async fn what_is_left_of_a_time_is_left_after_a_restart(stage: Stage) {
    let rules = rules(|rules| {
        rules.idle_ms = Some(10_000);
        rules.at_most_ms = Some(60_000);
    });
    stage.collect(&rules, &[part("ann", "1")]).await;
    stage.advance(secs(6));
    let other = stage.subject.reopen().await;
    assert!(stage.turn_at(&other, 10).await.closed.is_empty());
    stage.advance(secs(4));
    let turned = stage.turn_at(&other, 10).await;
    assert_eq!(turned.closed.len(), 1, "{turned:?}");
    assert_eq!(turned.closed[0].by, CompletedBy::Idle);
}

async fn a_part_after_the_end_opens_the_next_epoch_though_nobody_looked(stage: Stage) {
    let rules = rules(|rules| rules.at_most_ms = Some(10_000));
    stage.collect(&rules, &[part("ann", "1")]).await;
    stage.advance(secs(10));
    let answer = stage.collect(&rules, &[part("ann", "2")]).await;
    assert!(answer.is_ready);
    let closed = stage.closed_one().await;
    assert_eq!(closed.by, CompletedBy::Age);
    assert_eq!(stage.bodies_of(&closed).await, ["1"]);
    assert_eq!(stage.numbers().await.open, 1);
}

async fn the_rules_of_the_first_part_hold(stage: Stage) {
    stage.collect(&of_size(3), &[part("ann", "1")]).await;
    stage.collect(&of_size(2), &[part("ann", "2")]).await;
    stage.nothing_closed().await;
    stage.collect(&of_size(2), &[part("ann", "3")]).await;
    let closed = stage.closed_one().await;
    assert_eq!(closed.info.parts, 3);
    assert_eq!(closed.info.rules.size, Some(3));
    stage.collect(&of_size(2), &parts("ann", ["4", "5"])).await;
    assert_eq!(stage.closed_one().await.info.parts, 2);
}

async fn a_person_closes_an_epoch_once(stage: Stage) {
    stage.collect(&of_size(9), &[part("ann", "1")]).await;
    let open = stage.epoch_of("ann").await;
    let close = [(key("ann"), open.epoch, EpochChange::Close)];
    let aggregates = stage.aggregates();
    let changed = aggregates.change(orders(), &close).await.expect("change");
    assert_eq!(changed, [Changed::Applied]);
    let changed = aggregates.change(orders(), &close).await.expect("change");
    assert_eq!(changed, [Changed::NotFound]);
    stage.collect(&of_size(9), &[part("ann", "2")]).await;
    let changed = aggregates.change(orders(), &close).await.expect("change");
    assert_eq!(changed, [Changed::NotFound], "that is another epoch");
    let closed = stage.closed_one().await;
    assert_eq!(closed.by, CompletedBy::Force);
    assert_eq!(stage.bodies_of(&closed).await, ["1"]);
}

async fn a_full_epoch_closes_without_the_part_that_does_not_fit(stage: Stage) {
    let rules = rules(|rules| {
        rules.at_most_ms = Some(60_000);
        rules.parts_max = 2;
        rules.bytes_max = Some(10);
    });
    stage.collect(&rules, &parts("ann", ["1", "2", "3"])).await;
    let closed = stage.closed_one().await;
    assert_eq!(closed.by, CompletedBy::Full);
    assert_eq!(stage.bodies_of(&closed).await, ["1", "2"]);
    stage.collect(&rules, &[part("ann", "1234567890")]).await;
    let closed = stage.closed_one().await;
    assert_eq!(stage.bodies_of(&closed).await, ["3"]);
}

async fn what_does_not_fit_is_set_aside_where_the_rules_say_so(stage: Stage) {
    let rules = rules(|rules| {
        rules.at_most_ms = Some(60_000);
        rules.parts_max = 2;
        rules.full = WhenFull::Refuse;
    });
    let third = part("ann", "3");
    let all = [part("ann", "1"), part("ann", "2"), third.clone()];
    stage.collect(&rules, &all).await;
    let aside = stage.closed_one().await;
    assert!(aside.is_set_aside && aside.by == CompletedBy::Full);
    assert_eq!(stage.bodies_of(&aside).await, ["3"]);
    let again = stage.append(&rules, &[third]).await;
    assert_eq!(again.outcomes, [Appended::Duplicate]);
    let open = stage.numbers().await;
    assert_eq!((open.open, open.closed, open.closed_epochs), (2, 1, 1));
}

async fn an_answer_tells_when_to_look(stage: Stage) {
    let rules = rules(|rules| rules.idle_ms = Some(5_000));
    let begun = stage.now();
    stage.collect(&rules, &[part("ann", "1")]).await;
    stage.advance(secs(1));
    stage.collect(&rules, &[part("bob", "2")]).await;
    let turned = stage.turn().await;
    assert!(!turned.more);
    assert_eq!(turned.next, Some(begun.plus(secs(5))));
    assert_eq!(stage.numbers().await.next, Some(begun.plus(secs(5))));
    stage.advance(secs(5));
    assert_eq!(stage.release_all().await.len(), 2);
    let turned = stage.turn().await;
    assert_eq!((turned.more, turned.next), (false, None::<Timestamp>));
}

async fn many_timers_at_once_are_closed_in_several_turns(stage: Stage) {
    let rules = rules(|rules| rules.at_most_ms = Some(5_000));
    let all: Vec<_> = (0..700).map(|n| part(&format!("k{n}"), "x")).collect();
    stage.collect(&rules, &all).await;
    stage.advance(secs(5));
    let mut keys = std::collections::BTreeSet::new();
    let mut turns = 0;
    loop {
        let turned = stage.turn().await;
        turns += 1;
        assert!(turned.closed.len() <= 100);
        for one in &turned.closed {
            assert!(keys.insert(one.info.key.clone()), "twice: {one:?}");
        }
        if !turned.more {
            break;
        }
        assert!(turns < 100, "no end of turns");
    }
    assert_eq!(keys.len(), 700);
}

async fn a_key_has_one_open_epoch(stage: Stage) {
    for n in 0..10 {
        stage
            .collect(&of_size(4), &[part("ann", &n.to_string())])
            .await;
        let open = stage.epochs_by(Some(&key("ann")), 100).await;
        let open = open.iter();
        let open = open.filter(|one| matches!(one.state, EpochState::Open { .. }));
        assert!(open.count() <= 1);
    }
}
