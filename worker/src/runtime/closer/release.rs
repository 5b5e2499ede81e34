//! From a closed epoch to its message.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore_core::{
    AggregateKey, ClosedEpoch, CompletedBy, Content, Epoch, Failure, Fate, Label, Message,
    NewMessage, Result, StoreError, StoreErrorKind, StoredMessage,
};
use metrics::counter;
use tokio::time::timeout;

use crate::aggregate::Release;
use crate::aggregate::dead_form::{damaged, dead_letter};
use crate::aggregate::release::EpochName;
use crate::runtime::shared::Shared;

/// Parts that one call reads; pages end early where bodies are large.
const PAGE: NonZeroU32 = NonZeroU32::MIN.saturating_add(499);
/// The shortest and the longest time for which an epoch is put off.
const PUT_OFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// The parts of an epoch.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) intact: Vec<Message>,
    damaged: Vec<StoredMessage>,
}

/// Reads the parts of an epoch.
pub(super) async fn parts_of(of: &Release, key: &AggregateKey, epoch: Epoch) -> Result<Parts> {
    let aggregate = &of.aggregate;
    let now = aggregate.connection().clock().now();
    let mut parts = Parts::default();
    let mut after = None;
    loop {
        let page = aggregate
            .store()
            .parts(aggregate.name(), key, epoch, after.as_ref(), PAGE)
            .await?;
        for part in page.items {
            match part.content {
                Content::Intact(message) => parts.intact.push(message),
                Content::Damaged { id, head, body } => {
                    parts.damaged.push(damaged(id, head, body, now));
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(parts);
        }
    }
}

/// Releases a closed epoch, and says in the log what could not be done.
pub(super) async fn release(shared: &Shared, of: &Release, closed: ClosedEpoch) {
    let (name, key) = (of.aggregate.name().clone(), closed.info.key.clone());
    let fate = match conclude(shared, of, &closed).await {
        Ok(fate) => fate,
        Err(error) => {
            let wait = put_off(shared, &closed);
            tracing::warn!(aggregate = %name, %key, %error, ?wait, "the epoch could not be released; it is tried again");
            Fate::PutOff(wait)
        }
    };
    let word = match fate {
        Fate::Released => "released",
        Fate::Dead => "dead",
        Fate::PutOff(_) => "put-off",
    };
    counter!("longshore_aggregate_epochs_total", "aggregate" => name.to_string(), "fate" => word, "completed_by" => closed.by.as_str())
        .increment(1);
    let done = [(closed.receipt, fate)];
    if let Err(error) = of.aggregate.store().finish(&name, &done).await {
        // It is handed out again, and its message is known by its id.
        tracing::debug!(aggregate = %name, %key, %error, "the fate of an epoch could not be stored");
    }
    if matches!(fate, Fate::PutOff(_)) {
        of.aggregate.due().notify_one();
    }
}

/// What becomes of an epoch; an error where waiting may mend it.
async fn conclude(shared: &Shared, of: &Release, closed: &ClosedEpoch) -> Result<Fate> {
    let parts = whole(
        parts_of(of, &closed.info.key, closed.info.epoch).await?,
        closed,
    )?;
    if of.waits_for_damaged
        && let Some(first) = parts.damaged.first()
    {
        return Err(waits(of, &closed.info.key, parts.damaged.len(), first));
    }
    let backend = shared.connection.backend();
    for dead in parts.damaged.chunks(100) {
        backend.admin.adopt(&of.dead, dead).await?;
    }
    let name = EpochName::of(&of.aggregate, closed);
    if closed.is_set_aside {
        return bury(shared, of, &name, parts.intact, &set_aside(closed.by)).await;
    }
    let (release, epoch, intact) = (of.clone(), name.clone(), parts.intact);
    let folding = tokio::task::spawn_blocking(move || {
        let message = release.message(&epoch, &intact);
        (message, intact)
    });
    let failure = match timeout(of.timeout, folding).await {
        Ok(Ok((folded, intact))) => return settled(shared, of, &name, folded, intact).await,
        Ok(Err(panicked)) => Failure::panic(format!("the fold panicked: {panicked}")),
        // Its thread goes on to the end, which nobody waits for.
        Err(_elapsed) => Failure::timed_out(of.timeout),
    };
    // The parts went with it: they are read again for the dead letter.
    let again = parts_of(of, &closed.info.key, closed.info.epoch).await?;
    bury(shared, of, &name, whole(again, closed)?.intact, &failure).await
}

/// What becomes of an epoch that was folded, or could not be.
async fn settled(
    shared: &Shared,
    of: &Release,
    name: &EpochName,
    folded: std::result::Result<NewMessage, Failure>,
    intact: Vec<Message>,
) -> Result<Fate> {
    let refused = match folded {
        Ok(message) => match store(of, message).await {
            Ok(()) => return Ok(Fate::Released),
            Err(error) => of.refusal(&error).ok_or(error)?,
        },
        Err(failure) => failure,
    };
    bury(shared, of, name, intact, &refused).await
}

/// The parts, if they are all there. Where this worker was slow, another one may have released the
/// epoch: then its parts are gone, and what is left of them must not become a message.
fn whole(parts: Parts, closed: &ClosedEpoch) -> Result<Parts> {
    let read = parts.intact.len() + parts.damaged.len();
    if read == closed.info.parts as usize {
        return Ok(parts);
    }
    let said = format!(
        "the epoch has {} parts and {read} could be read; another worker may have released it",
        closed.info.parts
    );
    Err(StoreError::new(StoreErrorKind::Conflict, "parts", said))
}

/// An epoch is not released without its damaged parts.
fn waits(of: &Release, key: &AggregateKey, damaged: usize, first: &StoredMessage) -> StoreError {
    let (name, id) = (of.aggregate.name(), first.id());
    let said = format!(
        "{damaged} of its parts cannot be read, {id} first, and it waits for them; mend the store, or \
         give it up: longshore aggregates discard {name} {key}"
    );
    StoreError::new(StoreErrorKind::Corrupt, "parts", said)
}

async fn store(of: &Release, message: NewMessage) -> Result<()> {
    let queues = &of.aggregate.connection().backend().queues;
    queues.enqueue(&of.to, &[message]).await.map(drop)
}

fn set_aside(by: CompletedBy) -> Failure {
    let (label, said) = match by {
        CompletedBy::Late => ("aggregate.late", "the part came after its epoch was closed"),
        _ => ("aggregate.full", "the part did not fit into its epoch"),
    };
    Failure::permanent(said).with_label(Label::lossy(label))
}

/// Puts an epoch with its parts into the dead letters of its aggregate.
async fn bury(
    shared: &Shared,
    of: &Release,
    name: &EpochName,
    parts: Vec<Message>,
    failure: &Failure,
) -> Result<Fate> {
    let now = shared.connection.clock().now();
    let dead = dead_letter(name, &parts, failure, &shared.identity.id, now).map_err(|error| {
        StoreError::invalid_input("adopt", format!("the epoch has no form as JSON: {error}"))
    })?;
    let (aggregate, key) = (of.aggregate.name(), &name.key);
    let admin = &shared.connection.backend().admin;
    admin.adopt(&of.dead, &[dead]).await?;
    tracing::warn!(%aggregate, key, id = %name.id, queue = %of.dead, label = %failure.labelled(), %failure, "an epoch went to the dead letters with its parts");
    Ok(Fate::Dead)
}

/// Half of the time that it has waited already, within bounds.
fn put_off(shared: &Shared, closed: &ClosedEpoch) -> Duration {
    let longshore_core::EpochState::Closed { at, .. } = closed.info.state else {
        return PUT_OFF[0];
    };
    let waited = shared.connection.clock().now().since(at);
    (waited / 2).clamp(PUT_OFF[0], PUT_OFF[1])
}
