//! Rules, which epochs name by number.

use std::collections::HashMap;
use std::sync::Arc;

use longshore_core::AggregateRules;
use rusqlite::{Connection, OptionalExtension as _};

use crate::database::transaction::Tx;
use crate::error::Outcome;

/// The rules that one transaction has read.
#[derive(Debug, Default)]
pub(super) struct RulesRead(HashMap<i64, Arc<AggregateRules>>);

impl RulesRead {
    /// The rules of a number.
    pub(super) fn get(&mut self, conn: &Connection, number: i64) -> Outcome<Arc<AggregateRules>> {
        if let Some(rules) = self.0.get(&number) {
            return Ok(rules.clone());
        }
        let body: Option<String> = conn
            .prepare_cached("SELECT body FROM aggregate_rules WHERE rules = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?;
        let rules = Arc::new(AggregateRules::decode(&body.unwrap_or_default())?);
        self.0.insert(number, rules.clone());
        Ok(rules)
    }

    /// The number of rules, which are kept from then on.
    pub(super) fn number_of(&mut self, tx: &Tx<'_>, rules: &AggregateRules) -> Outcome<i64> {
        let body = rules.encode();
        let found: Option<i64> = tx
            .sql("SELECT rules FROM aggregate_rules WHERE body = ?1")?
            .query_row([&body], |row| row.get(0))
            .optional()?;
        let number = if let Some(number) = found {
            number
        } else {
            tx.sql("INSERT INTO aggregate_rules (body) VALUES (?1)")?
                .execute([&body])?;
            tx.last_seq()
        };
        self.0.insert(number, Arc::new(rules.clone()));
        Ok(number)
    }
}
