//! What a flaw makes of messages, settlements and deliveries.

use longshore_core::{
    Delivery, Disposition, Due, IdOrigin, Lane, MessageId, NewMessage, Received, StoredMessage,
};
use uuid::Uuid;

use super::Flaw;
use crate::settling::record;

impl Flaw {
    /// What is stored of a new message.
    pub(super) fn stores(self, new: &NewMessage) -> NewMessage {
        let mut new = new.clone();
        match self {
            Self::IdsIgnored => new.id = MessageId::from_uuid(Uuid::now_v7()),
            Self::GivenIsFresh => new.id_origin = IdOrigin::Fresh,
            Self::KeysIgnored => new.dedup = None,
            Self::GroupsIgnored => new.group = None,
            Self::LanesIgnored => new.lane = Lane::Normal,
            Self::ExpiryIgnored => new.expires = None,
            Self::DelayIgnored => new.due = None,
            _ => {}
        }
        new
    }

    /// How a delivery is ended instead; `None` is not at all.
    pub(super) fn ends(self, told: &Disposition) -> Option<Disposition> {
        let mut end = told.clone();
        match (self, &mut end) {
            (Self::AckLost, Disposition::Ack) => return None,
            (
                Self::RetryIsRelease,
                Disposition::Retry {
                    due, checkpoint, ..
                },
            ) => {
                let (due, checkpoint) = (Some(*due), checkpoint.take());
                end = Disposition::Release { due, checkpoint };
            }
            (Self::ReleaseIsRetry, Disposition::Release { due, checkpoint }) => {
                end = retry(due.unwrap_or(Due::NOW), checkpoint.take());
            }
            (Self::DeadLetterIsAck, Disposition::DeadLetter { .. }) => end = Disposition::Ack,
            (Self::DeadLetterIsRetry, Disposition::DeadLetter { checkpoint, .. }) => {
                end = retry(Due::NOW, checkpoint.take());
            }
            (Self::ParkIgnored, Disposition::DeadLetter { park_group, .. }) => *park_group = false,
            (Self::BackOffIgnored, Disposition::Retry { due, .. }) => *due = Due::NOW,
            (
                Self::CheckpointsIgnored,
                Disposition::Retry { checkpoint, .. }
                | Disposition::Release { checkpoint, .. }
                | Disposition::DeadLetter { checkpoint, .. },
            ) => *checkpoint = None,
            _ => {}
        }
        Some(end)
    }

    /// What is handed out of what was received.
    pub(super) fn hands_out(self, received: &mut Received) {
        match self {
            Self::OrderSwapped => received.deliveries.reverse(),
            Self::SetAsideNotTold => received.set_aside = 0,
            Self::AttemptNotCounted => received.deliveries.iter_mut().for_each(first),
            _ => {}
        }
    }

    /// What is adopted of a message.
    pub(super) fn adopts(self, stored: &StoredMessage) -> StoredMessage {
        match stored.message() {
            Some(message) if self == Self::AdoptForgets => StoredMessage::waiting(message.clone()),
            _ => stored.clone(),
        }
    }
}

fn first(delivery: &mut Delivery) {
    delivery.attempt = 1;
    delivery.recorded_through = 0;
}

fn retry(due: Due, checkpoint: Option<bytes::Bytes>) -> Disposition {
    Disposition::Retry {
        due,
        record: record("broken"),
        checkpoint,
    }
}
