//! What people see of aggregates.

use longshore_core::{AggregateName, Cursor, EpochState, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::collecting::{key, of_size, orders, part};
use crate::stage::{count, refused};

cases! { "aggregate_lists";
    25 aggregates_are_listed_by_name_in_pages,
    25 epochs_are_listed_open_ones_by_key_first,
    25 one_key_is_looked_up,
    25 looking_changes_nothing,
    25 what_is_not_there_is_empty,
    25 a_foreign_cursor_is_refused,
}

async fn aggregates_are_listed_by_name_in_pages(stage: Stage) {
    let aggregates = stage.aggregates();
    let mut names = ["b", "a.1", "c", "A"].map(|name| AggregateName::new(name).expect("a name"));
    for name in &names {
        let one = [part("ann", "1")];
        aggregates
            .append(name, &of_size(2), &one)
            .await
            .expect("append");
    }
    names.sort_unstable();
    for max in [1, 2, 10] {
        let mut listed = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = aggregates.list(after.as_ref(), count(max)).await;
            let page = page.expect("list");
            listed.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let of: Vec<_> = listed.iter().map(|info| info.name.clone()).collect();
        assert_eq!(of, names, "by {max}");
        assert!(
            listed
                .iter()
                .all(|info| info.open == 1 && info.is_balanced())
        );
    }
}

async fn epochs_are_listed_open_ones_by_key_first(stage: Stage) {
    for of in ["d", "b", "é"] {
        stage.collect(&of_size(1), &[part(of, "x")]).await;
    }
    for of in ["c", "a", "Ü x"] {
        stage.collect(&of_size(2), &[part(of, "x")]).await;
    }
    for max in [1, 2, 3, 4, 100] {
        let listed = stage.epochs_by(None, max).await;
        let keys: Vec<_> = listed.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["a", "c", "Ü x", "d", "b", "é"], "by {max}");
        let open = listed.iter();
        let open = open.filter(|one| matches!(one.state, EpochState::Open { .. }));
        assert_eq!(open.count(), 3);
    }
}

async fn one_key_is_looked_up(stage: Stage) {
    for of in ["ann", "bob", "ann", "ann"] {
        stage.collect(&of_size(2), &[part(of, "x")]).await;
    }
    let of_ann = stage.epochs_by(Some(&key("ann")), 10).await;
    let parts: Vec<_> = of_ann.iter().map(|one| one.parts).collect();
    assert_eq!(parts, [1, 2], "open, then closed");
    assert!(stage.epochs_by(Some(&key("an")), 10).await.is_empty());
}

async fn looking_changes_nothing(stage: Stage) {
    stage.collect(&of_size(1), &[part("ann", "1")]).await;
    stage.collect(&of_size(2), &[part("bob", "1")]).await;
    let seen = (stage.numbers().await, stage.epochs_by(None, 10).await);
    assert_eq!(
        seen,
        (stage.numbers().await, stage.epochs_by(None, 10).await)
    );
    let closed = stage.closed_one().await;
    assert_eq!(stage.bodies_of(&closed).await, ["1"]);
    assert_eq!(stage.bodies_of(&closed).await, ["1"]);
}

async fn what_is_not_there_is_empty(stage: Stage) {
    assert!(stage.epochs_by(None, 10).await.is_empty());
    stage.nothing_closed().await;
    let aggregates = stage.aggregates();
    let listed = aggregates.list(None, count(10)).await.expect("list");
    assert!(listed.items.is_empty() && listed.next.is_none());
    let none = longshore_core::Epoch::new(7);
    assert!(stage.bodies_by(&key("ann"), none, 10).await.is_empty());
}

async fn a_foreign_cursor_is_refused(stage: Stage) {
    stage.collect(&of_size(2), &[part("ann", "1")]).await;
    let open = stage.epoch_of("ann").await;
    let aggregates = stage.aggregates();
    let cursor = Cursor::new("x?y");
    let parts = aggregates.parts(orders(), &open.key, open.epoch, Some(&cursor), count(1));
    assert_eq!(refused(parts.await).kind(), StoreErrorKind::InvalidInput);
    let epochs = aggregates.epochs(orders(), None, Some(&cursor), count(1));
    assert_eq!(refused(epochs.await).kind(), StoreErrorKind::InvalidInput);
}
