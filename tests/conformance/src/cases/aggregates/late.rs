//! Parts that come after their epoch was closed.

use longshore_core::{Appended, CompletedBy, Fate, LateParts, Settled};

use crate::Stage;
use crate::case::cases;
use crate::collecting::{of_size, part, parts, rules};
use crate::draft::secs;

cases! { "aggregate_late";
    24 a_late_part_opens_the_next_epoch,
    24 a_late_part_is_dropped_and_counted,
    24 a_late_part_is_set_aside_for_the_dead_letters,
    24 the_key_is_remembered_for_its_time,
    24 a_part_that_comes_when_the_time_is_over_is_late,
    24 ids_are_known_while_the_epoch_waits_and_for_the_time_after_its_close,
    24 what_was_set_aside_makes_no_key_late,
    24 a_dropped_part_is_known,
}

fn with(late: LateParts) -> longshore_core::AggregateRules {
    rules(|rules| {
        rules.size = Some(2);
        rules.late = late;
        rules.remember_ms = 60_000;
    })
}

async fn a_late_part_opens_the_next_epoch(stage: Stage) {
    let rules = with(LateParts::Open);
    stage.collect(&rules, &parts("ann", ["1", "2"])).await;
    let first = stage.closed_one().await;
    stage.finish(&first, Fate::Released).await;
    stage.collect(&rules, &parts("ann", ["3", "4"])).await;
    let second = stage.closed_one().await;
    assert!(second.info.epoch > first.info.epoch);
    assert_ne!(second.id, first.id);
    assert_eq!(stage.bodies_of(&second).await, ["3", "4"]);
}

async fn a_late_part_is_dropped_and_counted(stage: Stage) {
    let rules = with(LateParts::Drop);
    stage.collect(&rules, &parts("ann", ["1", "2"])).await;
    stage.collect(&rules, &[part("ann", "3")]).await;
    let closed = stage.closed_one().await;
    assert_eq!(stage.bodies_of(&closed).await, ["1", "2"]);
    stage.finish(&closed, Fate::Released).await;
    stage.collect(&rules, &[part("ann", "4")]).await;
    stage.nothing_closed().await;
    let numbers = stage.numbers().await;
    assert_eq!(
        (numbers.accepted, numbers.released, numbers.dropped),
        (4, 2, 2)
    );
}

async fn a_late_part_is_set_aside_for_the_dead_letters(stage: Stage) {
    let rules = with(LateParts::Dead);
    stage.collect(&rules, &parts("ann", ["1", "2"])).await;
    assert_eq!(stage.release_all().await.len(), 1);
    stage.collect(&rules, &[part("ann", "3")]).await;
    let aside = stage.closed_one().await;
    assert!(aside.is_set_aside && aside.by == CompletedBy::Late);
    assert_eq!(stage.bodies_of(&aside).await, ["3"]);
    assert_eq!(stage.finish(&aside, Fate::Dead).await, Settled::Applied);
    let numbers = stage.numbers().await;
    assert_eq!((numbers.released, numbers.dead, numbers.closed), (2, 1, 0));
}

async fn the_key_is_remembered_for_its_time(stage: Stage) {
    let rules = with(LateParts::Drop);
    stage.collect(&rules, &parts("ann", ["1", "2"])).await;
    assert_eq!(stage.release_all().await.len(), 1);
    stage.advance(secs(59));
    stage.collect(&rules, &[part("ann", "3")]).await;
    assert_eq!(stage.numbers().await.dropped, 1);
    stage.advance(secs(1));
    stage.collect(&rules, &[part("ann", "4")]).await;
    let numbers = stage.numbers().await;
    assert_eq!((numbers.dropped, numbers.open), (1, 1));
}

/// Though nobody looked at the epoch in between.
async fn a_part_that_comes_when_the_time_is_over_is_late(stage: Stage) {
    let rules = rules(|rules| {
        rules.at_most_ms = Some(5_000);
        rules.late = LateParts::Drop;
    });
    stage.collect(&rules, &[part("ann", "1")]).await;
    stage.advance(secs(5));
    stage.collect(&rules, &[part("ann", "2")]).await;
    let closed = stage.closed_one().await;
    assert_eq!(stage.bodies_of(&closed).await, ["1"]);
    assert_eq!(stage.numbers().await.dropped, 1);
}

async fn ids_are_known_while_the_epoch_waits_and_for_the_time_after_its_close(stage: Stage) {
    let rules = with(LateParts::Open);
    let all = parts("ann", ["1", "2"]);
    stage.collect(&rules, &all).await;
    stage.advance(secs(90));
    let again = stage.append(&rules, &all).await;
    assert_eq!(again.outcomes, [Appended::Duplicate; 2], "it waits still");
    let closed = stage.closed_one().await;
    stage.finish(&closed, Fate::Released).await;
    // Its time was over when it was released.
    let again = stage.append(&rules, &all[..1]).await;
    assert_eq!(again.outcomes, [Appended::Stored]);
    let others = parts("bob", ["1", "2"]);
    stage.collect(&rules, &others).await;
    assert_eq!(stage.release_all().await.len(), 1);
    stage.advance(secs(59));
    let again = stage.append(&rules, &others).await;
    assert_eq!(again.outcomes, [Appended::Duplicate; 2]);
}

async fn what_was_set_aside_makes_no_key_late(stage: Stage) {
    let mut refusing = rules(|rules| {
        rules.at_most_ms = Some(600_000);
        rules.parts_max = 1;
        rules.full = longshore_core::WhenFull::Refuse;
        rules.late = LateParts::Drop;
    });
    refusing.closing = true;
    stage.collect(&refusing, &parts("ann", ["1", "2"])).await;
    let aside = stage.closed_one().await;
    assert!(aside.is_set_aside);
    stage.finish(&aside, Fate::Dead).await;
    stage.collect(&of_size(1), &[part("bob", "x")]).await;
    assert_eq!(stage.release_all().await.len(), 1);
    // The first part of ann is open still: nothing of it was closed.
    let numbers = stage.numbers().await;
    assert_eq!((numbers.open, numbers.dropped, numbers.dead), (1, 0, 1));
}

/// A repeat of it is not counted again.
async fn a_dropped_part_is_known(stage: Stage) {
    let rules = with(LateParts::Drop);
    stage.collect(&rules, &parts("ann", ["1", "2"])).await;
    let late = part("ann", "3");
    stage.collect(&rules, std::slice::from_ref(&late)).await;
    let again = stage.append(&rules, &[late]).await;
    assert_eq!(again.outcomes, [Appended::Duplicate]);
    assert_eq!(stage.numbers().await.dropped, 1);
}
