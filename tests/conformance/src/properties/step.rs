//! Plays one step on both stores and compares the answers.

use longshore_core::{
    Backend, Changed, Delivery, Disposition, Due, Enqueued, Found, MessageId, MessageState,
    MovingMark, NewMessage, OnExpired, Pause, QueueName, Receipt, Result, SettingsChange, Settled,
    Settlement, StoreErrorKind, StoredMessage, Timestamp,
};
use proptest::sample::Index;

use super::operation::{Change, Fate, Item, Operation, Step};
use super::pair::{Delivered, Pair, disposition, export_all, receive_all, receive_once};
use super::seen::Seen;
use crate::draft::secs;
use crate::settling::release;
use crate::stage::count;

impl Pair {
    /// Plays a step, then compares everything that can be seen.
    pub(super) async fn play(&mut self, step: &Step) {
        let real = self.real[usize::from(step.second_handle)].clone();
        match &step.operation {
            Operation::Enqueue(items) => self.enqueue(&real, items).await,
            Operation::Receive { lease } => self.receive(&real, *lease).await,
            Operation::ReceiveSome { max, lease } => self.receive_some(&real, *max, *lease).await,
            Operation::Settle(picks) => self.settle(&real, picks).await,
            Operation::Extend(picks, lease) => self.extend(&real, picks, *lease).await,
            Operation::Advance(span) => self.advance(*span),
            Operation::Cancel(picks) => self.cancel(&real, picks).await,
            Operation::Reschedule(picks, due) => self.reschedule(&real, picks, *due).await,
            Operation::Purge => self.purge(&real).await,
            Operation::Pause => self.pause(&real).await,
            Operation::Resume => self.resume(&real).await,
            Operation::MarkMoving(on) => self.mark_moving(&real, *on).await,
            Operation::Redrive(picks) => self.redrive(&real, picks).await,
            Operation::Discard(picks) => self.discard(&real, picks).await,
            Operation::Configure(change) => self.configure(&real, change).await,
            Operation::Copy => self.copy(&real).await,
        }
        self.seen = Seen::of(&self.model, &self.queue).await;
        let other = &self.real[usize::from(!step.second_handle)];
        let mut seen = Seen::of(other, &self.queue).await;
        self.seen.forgive(&mut seen, &other.queues.limits());
        assert_eq!(seen, self.seen, "the store (left) and the model (right)");
        let live = &self.seen.live;
        let waits =
            |id: &MessageId| live.get(id).map(|one| &one.state) == Some(&MessageState::Waiting);
        self.lapsed.retain(waits);
        let now = self.now();
        self.ledger.check(&seen, now);
    }

    fn advance(&mut self, span: u64) {
        self.clock.advance(secs(span));
        let now = self.now();
        let live = self.seen.live.iter();
        let ended = live.filter(|(_, one)| match &one.state {
            MessageState::Leased { until } => *until <= now,
            _ => false,
        });
        self.lapsed.extend(ended.map(|(id, _)| *id));
    }

    async fn enqueue(&mut self, real: &Backend, items: &[Item]) {
        let batch: Vec<_> = items.iter().map(|item| self.draft(item)).collect();
        let wanted = enqueue(&self.model, &self.queue, &batch).await;
        let mut got = enqueue(real, &self.queue, &batch).await;
        if let (true, Ok(got), Ok(wanted)) = (self.collapses(), &mut got, &wanted) {
            for ((got, wanted), new) in got.iter_mut().zip(wanted).zip(&batch) {
                let repeats = *wanted == Enqueued::Duplicate { first: new.id };
                if repeats && *got == Enqueued::Stored {
                    *got = *wanted;
                }
            }
        }
        assert_eq!(got, wanted, "enqueue");
        for (new, outcome) in batch.iter().zip(got.unwrap_or_default()) {
            if outcome == Enqueued::Stored {
                self.ledger.stored(new.id, new.due.is_none());
            }
        }
    }

    async fn receive(&mut self, real: &Backend, lease: u64) {
        let wanted = receive_all(&self.model, &self.queue, lease).await;
        let got = receive_all(real, &self.queue, lease).await;
        self.note_delivered(wanted.concat(), got);
    }

    /// Which ones a store hands out first it may choose, within the rules: the model receives
    /// all and gives back what the store did not choose.
    ///
    /// Giving back undoes a receive only if nothing expired and no lease ended meanwhile.
    async fn receive_some(&mut self, real: &Backend, max: u32, lease: u64) {
        let expired = self.seen.live.values().any(|one| self.is_expired(one));
        if expired || !self.lapsed.is_empty() {
            return self.receive(real, lease).await;
        }
        let got = receive_once(real, &self.queue, max, lease).await;
        let all = receive_all(&self.model, &self.queue, lease).await.concat();
        assert!(got.len() <= max as usize, "more than asked for");
        assert_eq!(got.is_empty(), all.is_empty(), "there are {}", all.len());
        self.ledger.chosen(&got, &all);
        let is_chosen = |one: &Delivery| got.iter().any(|got| got.message.id == one.message.id);
        let (wanted, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_chosen);
        let give_back: Vec<_> = rest
            .into_iter()
            .map(|one| Settlement {
                receipt: one.receipt,
                disposition: release(),
            })
            .collect();
        let released = self.model.queues.settle(&self.queue, &give_back).await;
        released.expect("settle");
        self.note_delivered(wanted, vec![got]);
    }

    fn is_expired(&self, stored: &StoredMessage) -> bool {
        let expires = stored.message().and_then(|message| message.expires_at);
        expires.is_some_and(|expires| expires <= self.now())
    }

    /// Compares deliveries and keeps their receipts. What the store handed out comes call by call.
    fn note_delivered(&mut self, mut wanted: Vec<Delivery>, calls: Vec<Vec<Delivery>>) {
        let now = self.now();
        self.ledger.delivered(&calls.concat(), now);
        let mut numbered = Vec::new();
        for call in calls {
            self.receives += 1;
            numbered.extend(call.into_iter().map(|one| (self.receives, one)));
        }
        wanted.sort_by_key(|one| one.message.id);
        numbered.sort_by_key(|(_, one)| one.message.id);
        let (calls, got): (Vec<_>, Vec<_>) = numbered.into_iter().unzip();
        for ((wanted, got), receive) in wanted.iter_mut().zip(&got).zip(calls) {
            let model = std::mem::replace(&mut wanted.receipt, got.receipt.clone());
            self.deliveries.push(Delivered {
                id: got.message.id,
                receive,
                model,
                real: got.receipt.clone(),
            });
        }
        assert_eq!(got, wanted, "receive");
    }

    async fn settle(&mut self, real: &Backend, picks: &[(Index, Fate)]) {
        let indices: Vec<_> = picks.iter().map(|(index, _)| index).collect();
        let picked = self.pick_deliveries(&indices);
        let fates: Vec<_> = picks.iter().map(|(_, fate)| disposition(fate)).collect();
        let batch = |receipt: fn(&Delivered) -> &Receipt| -> Vec<Settlement> {
            let each = |(one, fate): (&&Delivered, &Disposition)| Settlement {
                receipt: receipt(one).clone(),
                disposition: fate.clone(),
            };
            picked.iter().zip(&fates).map(each).collect()
        };
        let (of_model, of_real) = (batch(|one| &one.model), batch(|one| &one.real));
        let ids: Vec<_> = picked.iter().map(|one| one.id).collect();
        let of: Vec<_> = picked.iter().map(|one| (one.receive, one.id)).collect();
        let wanted = self.model.queues.settle(&self.queue, &of_model).await;
        let got = real.queues.settle(&self.queue, &of_real).await;
        let (wanted, mut got) = (wanted.expect("settle"), got.expect("settle"));
        for (index, outcome) in got.iter_mut().enumerate() {
            let repeats = fates[index] == Disposition::Ack && wanted[index] == Settled::LeaseLost;
            // An ack that is repeated may say so, or count as the ack that it was; by now there may
            // be another message of that id.
            if repeats && (self.acked.contains(&of[index]) || self.is_gone(ids[index]).await) {
                *outcome = Settled::LeaseLost;
            }
        }
        assert_eq!(got, wanted, "settle");
        for ((of, fate), outcome) in of.into_iter().zip(&fates).zip(got) {
            if outcome == Settled::Applied {
                if *fate == Disposition::Ack {
                    self.acked.insert(of);
                }
                self.note_end(of.1, fate);
            }
        }
    }

    async fn is_gone(&self, id: MessageId) -> bool {
        let found = self.model.admin.find(&self.queue, id).await;
        found.expect("find") == Found::NotFound
    }

    fn note_end(&mut self, id: MessageId, fate: &Disposition) {
        self.lapsed.remove(&id);
        match fate {
            Disposition::Ack => self.ledger.ended(id),
            Disposition::Release { due, .. } => {
                self.ledger.released(id);
                if due.is_some() {
                    self.ledger.moved(id);
                }
            }
            Disposition::Retry { .. } | Disposition::DeadLetter { .. } => {}
        }
    }

    async fn extend(&mut self, real: &Backend, picks: &[Index], lease: u64) {
        let indices: Vec<_> = picks.iter().collect();
        let picked = self.pick_deliveries(&indices);
        let of_model: Vec<_> = picked.iter().map(|one| one.model.clone()).collect();
        let of_real: Vec<_> = picked.iter().map(|one| one.real.clone()).collect();
        let with = self.extended_with(&picked);
        let with: Vec<_> = with.into_iter().map(|one| one.model.clone()).collect();
        let lease = secs(lease);
        let extended = self.model.queues.extend(&self.queue, &with, lease);
        extended.await.expect("extend");
        let wanted = self.model.queues.extend(&self.queue, &of_model, lease);
        let wanted = wanted.await.expect("extend");
        let got = real.queues.extend(&self.queue, &of_real, lease).await;
        assert_eq!(got.expect("extend"), wanted, "extend");
    }

    async fn cancel(&mut self, real: &Backend, picks: &[Index]) {
        let ids = self.pick_ids(picks, self.live_ids());
        let wanted = self.model.admin.cancel(&self.queue, &ids).await;
        let got = real.admin.cancel(&self.queue, &ids).await;
        for id in applied(&ids, got, wanted) {
            self.ledger.ended(id);
        }
    }

    async fn reschedule(&mut self, real: &Backend, picks: &[Index], due: u64) {
        let ids = self.pick_ids(picks, self.live_ids());
        let due = Due::In(secs(due));
        let wanted = self.model.admin.reschedule(&self.queue, &ids, due).await;
        let got = real.admin.reschedule(&self.queue, &ids, due).await;
        for id in applied(&ids, got, wanted) {
            self.lapsed.remove(&id);
            self.ledger.rescheduled(id);
        }
    }

    async fn redrive(&mut self, real: &Backend, picks: &[Index]) {
        let ids = self.pick_ids(picks, self.dead_ids());
        let wanted = self.model.admin.redrive(&self.queue, &ids).await;
        let got = real.admin.redrive(&self.queue, &ids).await;
        for id in applied(&ids, got, wanted) {
            self.ledger.redriven(id);
        }
    }

    async fn discard(&mut self, real: &Backend, picks: &[Index]) {
        let ids = self.pick_ids(picks, self.dead_ids());
        let wanted = self.model.admin.discard(&self.queue, &ids).await;
        let got = real.admin.discard(&self.queue, &ids).await;
        for id in applied(&ids, got, wanted) {
            self.ledger.ended(id);
        }
    }

    async fn purge(&mut self, real: &Backend) {
        let max = count(1000);
        let wanted = self.model.admin.purge(&self.queue, max).await;
        let got = real.admin.purge(&self.queue, max).await;
        let (wanted, got) = (wanted.expect("purge"), got.expect("purge"));
        assert_eq!((got.removed, got.more), (wanted.removed, wanted.more));
        let free = |state: &MessageState| !matches!(state, MessageState::Leased { .. });
        let live = self.seen.live.iter();
        for (id, _) in live.filter(|(_, one)| free(&one.state)) {
            self.ledger.ended(*id);
        }
    }

    async fn pause(&mut self, real: &Backend) {
        let pause = Pause {
            author: "operator".to_owned(),
            reason: String::new(),
            since: Timestamp::EPOCH,
        };
        let model = self.model.admin.pause(&self.queue, &pause).await;
        model.expect("pause");
        let paused = real.admin.pause(&self.queue, &pause).await;
        paused.expect("pause");
        self.is_paused = true;
        self.note_hold();
    }

    async fn resume(&mut self, real: &Backend) {
        let wanted = self.model.admin.resume(&self.queue).await;
        let got = real.admin.resume(&self.queue).await;
        assert_eq!(got.expect("resume"), wanted.expect("resume"), "resume");
        self.is_paused = false;
        self.note_hold();
    }

    async fn mark_moving(&mut self, real: &Backend, on: bool) {
        if self.seen.stats.is_none() {
            return;
        }
        let mark = on.then(|| MovingMark {
            to: "other".to_owned(),
            since: Timestamp::EPOCH,
        });
        for store in [&self.model, real] {
            let marked = store.admin.mark_moving(&self.queue, mark.as_ref()).await;
            marked.expect("mark_moving");
        }
        self.is_moving = on;
        self.note_hold();
    }

    fn note_hold(&mut self) {
        self.ledger.held = self.is_paused || self.is_moving;
    }

    async fn configure(&mut self, real: &Backend, change: &Change) {
        let change = SettingsChange {
            author: "history".to_owned(),
            expires_ms: change.expires.map(|span| span * 1000),
            depth_max: change.depth_max,
            on_expired: change.on_expired,
            id_window_ms: change.id_window.map(|span| span * 1000),
            ..SettingsChange::default()
        };
        let wanted = self.model.admin.configure(&self.queue, &change).await;
        let got = real.admin.configure(&self.queue, &change).await;
        let got = got.expect("configure");
        assert_eq!(got, wanted.expect("configure"), "configure");
        self.ledger.discards = got.settings.on_expired == Some(OnExpired::Discard);
    }

    async fn copy(&mut self, real: &Backend) {
        let wanted = export_all(&self.model, &self.queue).await;
        let mut got = export_all(real, &self.queue).await;
        let mut sorted = wanted.clone();
        sorted.sort_by_key(longshore_core::StoredMessage::id);
        got.sort_by_key(longshore_core::StoredMessage::id);
        assert_eq!(got, sorted, "export");
        let in_model = self.model.admin.adopt(&self.other, &wanted).await;
        let in_real = real.admin.adopt(&self.other, &wanted).await;
        assert_eq!(in_real.expect("adopt"), in_model.expect("adopt"), "adopt");
        let wanted = Seen::of(&self.model, &self.other).await;
        let mut got = Seen::of(real, &self.other).await;
        wanted.forgive(&mut got, &real.queues.limits());
        assert_eq!(got, wanted, "adopted");
    }
}

async fn enqueue(
    at: &Backend,
    queue: &QueueName,
    batch: &[NewMessage],
) -> Result<Vec<Enqueued>, StoreErrorKind> {
    let answer = at.queues.enqueue(queue, batch).await;
    answer.map_err(|error| error.kind())
}

/// Compares the outcomes and gives the ids that were changed.
fn applied(
    ids: &[MessageId],
    got: Result<Vec<Changed>>,
    wanted: Result<Vec<Changed>>,
) -> Vec<MessageId> {
    let (got, wanted) = (
        got.expect("the call works"),
        wanted.expect("the call works"),
    );
    assert_eq!(got, wanted, "outcomes of {ids:?}");
    let changed = ids.iter().zip(got);
    changed
        .filter(|(_, outcome)| *outcome == Changed::Applied)
        .map(|(id, _)| *id)
        .collect()
}
