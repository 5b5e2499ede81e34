//! What became of single items.

use longshore::core::{Changed, MessageId, ReceiptWord, Settled};
use serde::Serialize;

/// What became of a receipt.
#[derive(Debug, Serialize)]
pub(crate) struct SettledRow {
    /// The receipt as it was given.
    pub(crate) receipt: String,
    /// `applied` or `lease_lost`.
    pub(crate) outcome: &'static str,
}

impl SettledRow {
    /// The row of a receipt.
    pub(crate) fn of(receipt: &ReceiptWord, settled: Settled) -> Self {
        let outcome = match settled {
            Settled::Applied => "applied",
            _ => "lease_lost",
        };
        Self {
            receipt: receipt.to_string(),
            outcome,
        }
    }
}

/// What became of a message that was named by its id.
#[derive(Debug, Serialize)]
pub(crate) struct ChangedRow {
    /// Which message.
    pub(crate) id: String,
    /// `applied`, `leased`, `not_found`, `not_found_within_bound` or `unreadable`; in a dry run
    /// `would_apply` for `applied`.
    pub(crate) outcome: &'static str,
}

impl ChangedRow {
    /// The row of a message.
    pub(crate) fn of(id: MessageId, changed: Changed) -> Self {
        let outcome = match changed {
            Changed::Applied => "applied",
            Changed::Leased => "leased",
            Changed::NotFound => "not_found",
            Changed::NotFoundWithinBound => "not_found_within_bound",
            _ => "unreadable",
        };
        Self {
            id: id.to_string(),
            outcome,
        }
    }

    /// The row of a message that was only looked at.
    pub(crate) fn would(id: MessageId, outcome: Changed) -> Self {
        let mut row = Self::of(id, outcome);
        if outcome == Changed::Applied {
            row.outcome = "would_apply";
        }
        row
    }
}
