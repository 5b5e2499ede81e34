//! Names, ids and receipts.

use longshore::core::{
    AggregateKey, AggregateName, DedupKey, GroupName, JobKind, MessageId, QueueName, ReceiptWord,
};

use crate::output::escape;

/// The name of a queue.
pub(crate) fn queue(text: &str) -> Result<QueueName, String> {
    QueueName::new(text).map_err(|error| error.to_string())
}

/// The name of an aggregate.
pub(crate) fn aggregate(text: &str) -> Result<AggregateName, String> {
    AggregateName::new(text).map_err(|error| error.to_string())
}

/// A correlation key.
pub(crate) fn aggregate_key(text: &str) -> Result<AggregateKey, String> {
    AggregateKey::new(text).map_err(|error| error.to_string())
}

/// A kind.
pub(crate) fn kind(text: &str) -> Result<JobKind, String> {
    JobKind::new(text).map_err(|error| error.to_string())
}

/// A group.
pub(crate) fn group(text: &str) -> Result<GroupName, String> {
    GroupName::new(text).map_err(|error| error.to_string())
}

/// A dedup key.
pub(crate) fn dedup_key(text: &str) -> Result<DedupKey, String> {
    DedupKey::new(text).map_err(|error| error.to_string())
}

/// The id of a message.
pub(crate) fn message_id(text: &str) -> Result<MessageId, String> {
    text.parse().map_err(|_| {
        format!(
            "\"{}\" is not a message id; it is a UUID such as \
             018f3c7a-5b2e-7d11-9a3b-0123456789ab",
            escape::cut(text, 40)
        )
    })
}

/// A receipt word.
pub(crate) fn receipt(text: &str) -> Result<ReceiptWord, String> {
    text.parse::<ReceiptWord>().map_err(|error| {
        let said = error.to_string();
        let rest = said.strip_prefix("this is ").unwrap_or(&said);
        format!("\"{}\" is {rest}", escape::cut(text, 40))
    })
}
