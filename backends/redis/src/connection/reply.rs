//! Reading what the server answers. It is never trusted to have the right shape.

use bytes::Bytes;
use longshore_core::Result;
use redis::Value;

use crate::error::unexpected_reply;

/// A value of an answer, and the operation it answers.
pub(crate) struct Reply {
    value: Value,
    operation: &'static str,
}

impl Reply {
    pub(crate) fn new(operation: &'static str, value: Value) -> Self {
        Self { value, operation }
    }

    pub(crate) fn is_nil(&self) -> bool {
        matches!(self.value, Value::Nil)
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.value, Value::Int(_))
    }

    /// The items of a list.
    pub(crate) fn list(self) -> Result<Vec<Self>> {
        let operation = self.operation;
        match self.value {
            Value::Array(items) | Value::Set(items) => Ok(items
                .into_iter()
                .map(|value| Self { value, operation })
                .collect()),
            Value::Map(pairs) => Ok(pairs
                .into_iter()
                .flat_map(|(key, value)| [key, value])
                .map(|value| Self { value, operation })
                .collect()),
            Value::Nil => Ok(Vec::new()),
            _ => Err(unexpected_reply(operation, "a list was expected")),
        }
    }

    /// The entries in an answer of XREADGROUP that names one stream.
    pub(crate) fn of_one_stream(self) -> Result<Self> {
        let operation = self.operation;
        let streams = self.list()?.into_iter().next();
        let [_, entries] = streams
            .ok_or_else(|| unexpected_reply(operation, "a stream is missing"))?
            .fixed()?;
        Ok(entries)
    }

    /// The items of a list of at least `N`; further ones are dropped.
    pub(crate) fn fixed<const N: usize>(self) -> Result<[Self; N]> {
        let operation = self.operation;
        let mut items = self.list()?;
        items.truncate(N);
        items
            .try_into()
            .map_err(|_| unexpected_reply(operation, "a list is too short"))
    }

    /// Bytes; nothing is empty.
    pub(crate) fn bytes(self) -> Result<Bytes> {
        match self.value {
            Value::BulkString(bytes) => Ok(bytes.into()),
            Value::SimpleString(text) => Ok(text.into_bytes().into()),
            Value::Int(number) => Ok(number.to_string().into_bytes().into()),
            Value::Double(number) => Ok(format!("{number}").into_bytes().into()),
            Value::Okay => Ok(Bytes::from_static(b"OK")),
            Value::Nil => Ok(Bytes::new()),
            _ => Err(unexpected_reply(self.operation, "text was expected")),
        }
    }

    /// Text; nothing is empty.
    pub(crate) fn text(self) -> Result<String> {
        let operation = self.operation;
        String::from_utf8(self.bytes()?.into())
            .map_err(|_| unexpected_reply(operation, "text is not UTF-8"))
    }

    /// A number; the server sends large ones as text.
    pub(crate) fn number(self) -> Result<i64> {
        if let Value::Int(number) = self.value {
            return Ok(number);
        }
        let operation = self.operation;
        let text = self.text()?;
        let whole = text.split('.').next().unwrap_or_default();
        whole
            .parse()
            .map_err(|_| unexpected_reply(operation, "a number was expected"))
    }

    /// A number that may be absent.
    pub(crate) fn optional_number(self) -> Result<Option<i64>> {
        match &self.value {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) if bytes.is_empty() => Ok(None),
            _ => self.number().map(Some),
        }
    }

    /// A count.
    pub(crate) fn count(self) -> Result<u64> {
        Ok(u64::try_from(self.number()?).unwrap_or(0))
    }
}
