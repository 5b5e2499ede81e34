//! Cursors: paging through a queue that changes meanwhile.

use longshore_core::{Changed, Cursor, MessageId, Page, StoreErrorKind, StoredMessage};

use crate::Stage;
use crate::case::cases;
use crate::draft::messages;
use crate::stage::{count, ids, refused};

cases! { "cursors";
    14 peek_goes_on_where_its_last_message_was_cancelled,
    14 dead_letters_can_be_discarded_page_by_page,
    14 dead_letters_can_be_redriven_page_by_page,
    14 an_export_can_be_removed_page_by_page,
    14 a_cursor_is_good_for_another_handle,
    14 a_page_that_ends_with_the_last_item_has_no_cursor,
    14 a_cursor_of_another_call_is_refused,
}

fn id_of(page: &Page<StoredMessage>) -> Vec<MessageId> {
    page.items.iter().map(StoredMessage::id).collect()
}

async fn seven(stage: &Stage) -> Vec<MessageId> {
    let batch = messages(["a", "b", "c", "d", "e", "f", "g"]);
    stage.put(&batch).await;
    ids(&batch)
}

async fn seven_dead(stage: &Stage) -> Vec<MessageId> {
    let all = seven(stage).await;
    for taken in stage.take(9).await {
        stage.bury(&taken).await;
    }
    all
}

/// Nothing is skipped or shown twice for what went away behind the cursor.
async fn peek_goes_on_where_its_last_message_was_cancelled(stage: Stage) {
    let all = seven(&stage).await;
    let mut seen = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let peek = stage
            .store
            .admin
            .peek(&stage.queue, after.as_ref(), count(2));
        let page = peek.await.expect("peek");
        for id in id_of(&page) {
            assert_eq!(stage.cancel(id).await, Changed::Applied);
            seen.push(id);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
}

/// How a whole list of dead letters is thrown away.
async fn dead_letters_can_be_discarded_page_by_page(stage: Stage) {
    let all = seven_dead(&stage).await;
    let mut seen = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let admin = &stage.store.admin;
        let list = admin.dead_letters(&stage.queue, after.as_ref(), count(3));
        let page = list.await.expect("dead_letters");
        let of_page = id_of(&page);
        let discarded = admin.discard(&stage.queue, &of_page).await;
        assert_eq!(
            discarded.expect("discard"),
            vec![Changed::Applied; of_page.len()]
        );
        seen.extend(of_page);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, all);
    assert!(stage.dead().await.is_empty());
}

/// Or brought back: one that dies again meanwhile comes again at the end at most.
async fn dead_letters_can_be_redriven_page_by_page(stage: Stage) {
    let all = seven_dead(&stage).await;
    let mut redriven = 0;
    let mut after: Option<Cursor> = None;
    loop {
        let admin = &stage.store.admin;
        let list = admin.dead_letters(&stage.queue, after.as_ref(), count(2));
        let page = list.await.expect("dead_letters");
        let of_page = id_of(&page);
        redriven += of_page.len();
        let answer = admin.redrive(&stage.queue, &of_page).await;
        assert_eq!(
            answer.expect("redrive"),
            vec![Changed::Applied; of_page.len()]
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(redriven, all.len());
    assert_eq!(stage.counts().await, [7, 0, 0, 0]);
}

/// How a move empties the queue it moves away.
async fn an_export_can_be_removed_page_by_page(stage: Stage) {
    seven_dead(&stage).await;
    seven(&stage).await;
    let mut seen = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let admin = &stage.store.admin;
        let export = admin.export(&stage.queue, after.as_ref(), count(3)).await;
        let page = export.expect("export");
        for one in &page.items {
            let removed = match one.dead() {
                Some(_) => stage.discard(one.id()).await,
                None => stage.cancel(one.id()).await,
            };
            assert_eq!(removed, Changed::Applied);
            seen.push(one.id());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 14);
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
}

/// A dashboard with several servers behind it can page.
async fn a_cursor_is_good_for_another_handle(stage: Stage) {
    let all = seven(&stage).await;
    let other = stage.subject.reopen().await;
    let first = stage.store.admin.peek(&stage.queue, None, count(3)).await;
    let first = first.expect("peek");
    let second = other
        .admin
        .peek(&stage.queue, first.next.as_ref(), count(9))
        .await
        .expect("peek");
    let seen: Vec<_> = id_of(&first).into_iter().chain(id_of(&second)).collect();
    assert_eq!(seen, all);
    assert_eq!(second.next, None);
}

/// Nobody asks for a page that is empty.
async fn a_page_that_ends_with_the_last_item_has_no_cursor(stage: Stage) {
    seven(&stage).await;
    for (max, more) in [(6, true), (7, false), (8, false)] {
        let page = stage.store.admin.peek(&stage.queue, None, count(max)).await;
        assert_eq!(page.expect("peek").next.is_some(), more, "pages of {max}");
    }
}

/// A cursor belongs to the call that gave it.
async fn a_cursor_of_another_call_is_refused(stage: Stage) {
    seven_dead(&stage).await;
    let admin = &stage.store.admin;
    let page = admin.dead_letters(&stage.queue, None, count(3)).await;
    let cursor = page.expect("dead_letters").next;
    let peek = admin.peek(&stage.queue, cursor.as_ref(), count(3)).await;
    assert_eq!(refused(peek).kind(), StoreErrorKind::InvalidInput);
    let queues = admin.queues(cursor.as_ref(), count(3)).await;
    assert_eq!(refused(queues).kind(), StoreErrorKind::InvalidInput);
}
