//! Aggregates with their numbers.

use std::num::NonZeroU32;

use longshore_core::{AggregateInfo, AggregateName, Cursor, Page, Result, Timestamp};
use redis::cmd;

use crate::aggregate::RedisAggregates;
use crate::scripts;

impl RedisAggregates {
    pub(super) async fn page_aggregates(
        &self,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<AggregateInfo>> {
        let mut ask = cmd("ZRANGEBYLEX");
        let from = after.map_or("-".to_owned(), |after| format!("({}", after.as_str()));
        ask.arg(self.store.keys.aggregates()).arg(from).arg("+");
        ask.arg("LIMIT").arg(0).arg(u64::from(max.get()) + 1);
        let mut names = Vec::new();
        for name in self.store.session.command("list", &ask).await?.list()? {
            // A name that is none is not ours.
            names.extend(AggregateName::new(name.text()?));
        }
        let more = names.len() > max.get() as usize;
        names.truncate(max.get() as usize);
        let last = names.last().filter(|_| more);
        let next = last.map(|name| Cursor::new(name.as_str()));
        let mut items = Vec::with_capacity(names.len());
        for name in names {
            items.push(self.numbers(name).await?);
        }
        Ok(Page { items, next })
    }

    async fn numbers(&self, name: AggregateName) -> Result<AggregateInfo> {
        let mut call = self.call("list", &scripts::AGGREGATE_READ, &name);
        call.arg("numbers");
        let reply = self.store.session.run(&call).await?;
        let [_, numbers, open, closed, next] = reply.fixed()?;
        let mut info = AggregateInfo::new(name);
        let mut words = numbers.list()?.into_iter();
        while let (Some(word), Some(number)) = (words.next(), words.next()) {
            let field = match word.text()?.as_str() {
                "accepted" => &mut info.accepted,
                "open" => &mut info.open,
                "closed" => &mut info.closed,
                "released" => &mut info.released,
                "dead" => &mut info.dead,
                "dropped" => &mut info.dropped,
                "discarded" => &mut info.discarded,
                _ => continue,
            };
            *field = number.count()?;
        }
        info.open_epochs = open.count()?;
        info.closed_epochs = closed.count()?;
        info.next = next.optional_number()?.map(Timestamp::from_millis);
        Ok(info)
    }
}
