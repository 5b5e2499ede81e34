//! Short forms of the calls on aggregates, as the cases use them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateStore, Appended, Appends,
    Backend, ClosedEpoch, CompletedBy, Content, Cursor, Epoch, EpochInfo, Fate, IdOrigin, JobKind,
    MessageId, NewMessage, NewPart, Settled, Timestamp, Turn, Turned,
};

use crate::Stage;
use crate::stage::count;

/// How long a worker has a closed epoch where the case does not say.
pub(crate) const TURN_LEASE: Duration = Duration::from_secs(30);

/// The aggregate of the cases.
pub(crate) fn orders() -> &'static AggregateName {
    static NAME: LazyLock<AggregateName> =
        LazyLock::new(|| AggregateName::new("orders").expect("an aggregate name"));
    &NAME
}

/// A correlation key.
pub(crate) fn key(text: &str) -> AggregateKey {
    AggregateKey::new(text).expect("a correlation key")
}

/// Rules that one change makes. They leave nothing to the store, so that they are the same on each.
pub(crate) fn rules(change: impl FnOnce(&mut AggregateRules)) -> AggregateRules {
    let mut rules = AggregateRules::default();
    rules.bytes_max = Some(16 * 1024);
    change(&mut rules);
    rules
}

/// Complete with so many parts.
pub(crate) fn of_size(size: u32) -> AggregateRules {
    rules(|rules| rules.size = Some(size))
}

/// A part of a key, with an id that no other has and this body.
pub(crate) fn part(of: &str, body: &str) -> NewPart {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let id = MessageId::from_content(&[b"part", &number.to_be_bytes()]);
    NewPart {
        key: key(of),
        closing: false,
        position: Timestamp::from_millis(1_000 + i64::try_from(number).unwrap_or(0)),
        message: NewMessage::new(id, IdOrigin::Given, JobKind::default(), body.to_owned()),
    }
}

/// Parts of a key, one for each body.
pub(crate) fn parts<const N: usize>(of: &str, bodies: [&str; N]) -> Vec<NewPart> {
    bodies.into_iter().map(|body| part(of, body)).collect()
}

impl Stage {
    pub(crate) fn aggregates(&self) -> Arc<dyn AggregateStore> {
        aggregates_of(&self.store)
    }

    /// Appends parts to the aggregate of the cases.
    pub(crate) async fn append(&self, rules: &AggregateRules, parts: &[NewPart]) -> Appends {
        let appended = self.aggregates().append(orders(), rules, parts).await;
        appended.expect("append")
    }

    /// Appends parts that must all be stored.
    pub(crate) async fn collect(&self, rules: &AggregateRules, parts: &[NewPart]) -> Appends {
        let answer = self.append(rules, parts).await;
        assert_eq!(answer.outcomes, vec![Appended::Stored; parts.len()]);
        answer
    }

    pub(crate) async fn turn(&self) -> Turned {
        self.turn_at(&self.store, 100).await
    }

    pub(crate) async fn turn_at(&self, at: &Backend, max: u32) -> Turned {
        let turn = Turn {
            max: count(max),
            lease: TURN_LEASE,
        };
        let turned = aggregates_of(at).turn(orders(), turn).await;
        turned.expect("turn")
    }

    /// Takes turns until nothing more is to be done now; all closed epochs.
    pub(crate) async fn closed(&self) -> Vec<ClosedEpoch> {
        let mut closed = Vec::new();
        loop {
            let turned = self.turn().await;
            closed.extend(turned.closed);
            if !turned.more {
                return closed;
            }
        }
    }

    /// The one epoch that is closed now.
    pub(crate) async fn closed_one(&self) -> ClosedEpoch {
        let mut closed = self.closed().await;
        assert_eq!(closed.len(), 1, "{closed:?}");
        closed.remove(0)
    }

    /// Checks that nothing is closed now.
    pub(crate) async fn nothing_closed(&self) {
        let closed = self.closed().await;
        assert!(closed.is_empty(), "{closed:?}");
    }

    /// The bodies of an epoch, in order, by pages of `max`.
    pub(crate) async fn bodies_by(&self, of: &AggregateKey, epoch: Epoch, max: u32) -> Vec<String> {
        let mut bodies = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let aggregates = self.aggregates();
            let page = aggregates.parts(orders(), of, epoch, after.as_ref(), count(max));
            let page = page.await.expect("parts");
            assert!(page.items.len() <= max as usize);
            for part in &page.items {
                let Content::Intact(message) = &part.content else {
                    panic!("damaged: {part:?}");
                };
                bodies.push(String::from_utf8_lossy(&message.body).into_owned());
            }
            after = page.next;
            if after.is_none() {
                return bodies;
            }
        }
    }

    /// The bodies of a closed epoch, in order.
    pub(crate) async fn bodies_of(&self, closed: &ClosedEpoch) -> Vec<String> {
        self.bodies_by(&closed.info.key, closed.info.epoch, 100)
            .await
    }

    /// Says what became of a closed epoch.
    pub(crate) async fn finish(&self, closed: &ClosedEpoch, fate: Fate) -> Settled {
        let done = [(closed.receipt.clone(), fate)];
        let outcomes = self.aggregates().finish(orders(), &done).await;
        let outcomes = outcomes.expect("finish");
        assert_eq!(outcomes.len(), 1);
        outcomes[0]
    }

    /// Releases everything that is closed, and answers keys and what completed them.
    pub(crate) async fn release_all(&self) -> Vec<(String, CompletedBy)> {
        let mut released = Vec::new();
        for closed in self.closed().await {
            let settled = self.finish(&closed, Fate::Released).await;
            assert_eq!(settled, Settled::Applied);
            released.push((closed.info.key.to_string(), closed.by));
        }
        released
    }

    /// The numbers of the aggregate, which must add up.
    pub(crate) async fn numbers(&self) -> AggregateInfo {
        let page = self.aggregates().list(None, count(10)).await.expect("list");
        let info = page.items.into_iter().find(|info| info.name == *orders());
        let info = info.expect("the aggregate exists");
        assert!(info.is_balanced(), "{info:?}");
        info
    }

    /// All epochs, by pages of `max`.
    pub(crate) async fn epochs_by(&self, of: Option<&AggregateKey>, max: u32) -> Vec<EpochInfo> {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let aggregates = self.aggregates();
            let page = aggregates.epochs(orders(), of, after.as_ref(), count(max));
            let page = page.await.expect("epochs");
            assert!(page.items.len() <= max as usize);
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    /// The one epoch of a key.
    pub(crate) async fn epoch_of(&self, of: &str) -> EpochInfo {
        let mut all = self.epochs_by(Some(&key(of)), 10).await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }
}

fn aggregates_of(store: &Backend) -> Arc<dyn AggregateStore> {
    store.aggregates().expect("the store has them").clone()
}
