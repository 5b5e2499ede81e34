//! Parts come in.

use longshore_core::wire::encode;
use longshore_core::{
    AggregateName, AggregateRules, Appended, Appends, NewPart, Result, Timestamp,
};

use crate::aggregate::RedisAggregates;
use crate::error::unexpected_reply;
use crate::scripts;
use crate::store::observe_time;

impl RedisAggregates {
    pub(super) async fn append_parts(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let text = rules.encode();
        let mut call = self.call("append", &scripts::AGGREGATE_APPEND, name);
        call.arg(rules_name(&text)).arg(&text);
        for part in parts {
            let message = part.message.stored_at(part.position, None);
            let head = encode(&message);
            let content = [&head, &message.body[..]].concat();
            let mut about = Vec::with_capacity(41);
            about.push(if part.closing { b'1' } else { b'0' });
            about.extend_from_slice(digits(part.position).as_bytes());
            about.extend_from_slice(message.id.as_uuid().as_bytes());
            about.extend_from_slice(format!("{:08}", head.len()).as_bytes());
            call.arg(part.key.as_str()).arg(about).arg(content);
        }
        let reply = self.store.session.run_durably(&call).await?;
        let [now, letters, ready, next] = reply.fixed()?;
        observe_time(&self.store, now)?;
        let outcomes = letters.bytes()?;
        if outcomes.len() != parts.len() {
            return Err(unexpected_reply("append", "there are too few outcomes"));
        }
        let outcomes = outcomes.iter().map(|letter| match letter {
            b's' => Appended::Stored,
            _ => Appended::Duplicate,
        });
        let next = next.optional_number()?.map(Timestamp::from_millis);
        Ok(Appends::new(outcomes.collect(), ready.number()? == 1, next))
    }
}

/// What epochs call these rules: the same for the same text.
fn rules_name(text: &str) -> String {
    let id = longshore_core::MessageId::from_content(&[text.as_bytes()]);
    id.as_uuid().simple().to_string()
}

/// A position as it sorts.
pub(super) fn digits(position: Timestamp) -> String {
    format!("{:016}", position.as_millis())
}
