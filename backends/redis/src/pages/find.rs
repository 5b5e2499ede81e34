//! Finding messages by id.

use std::collections::HashMap;

use longshore_core::{Found, MessageId, QueueName, Result};
use redis::cmd;
use uuid::Uuid;

use crate::connection::call::Call;
use crate::error::unexpected_reply;
use crate::layout::position::{Position, Section};
use crate::layout::row::id_bytes;
use crate::scripts;
use crate::store::RedisStore;

/// One script reads at most this many rows.
const ROWS_MAX: u64 = 2_000;

/// What a scan for ids came to.
pub(crate) struct Located {
    pub(crate) places: HashMap<MessageId, Position>,
    /// Whether everything was read; otherwise what is missing may still be there.
    pub(crate) complete: bool,
}

impl RedisStore {
    pub(crate) async fn find_one(&self, queue: &QueueName, id: MessageId) -> Result<Found> {
        if let Some(place) = self.dead_place(queue, id).await? {
            let rows = self.rows("find", queue, &place, 1, true).await?;
            if let Some((_, message)) = rows.items.into_iter().next() {
                return Ok(Found::Message(Box::new(message)));
            }
        }
        let located = self.locate(queue, &[id]).await?;
        if let Some(place) = located.places.get(&id) {
            let rows = self.rows("find", queue, place, 1, true).await?;
            if let Some((_, message)) = rows.items.into_iter().next() {
                return Ok(Found::Message(Box::new(message)));
            }
        }
        Ok(if located.complete {
            Found::NotFound
        } else {
            Found::NotFoundWithinBound
        })
    }

    /// Where a dead letter lies.
    pub(crate) async fn dead_place(
        &self,
        queue: &QueueName,
        id: MessageId,
    ) -> Result<Option<Position>> {
        for partition in 0..self.partitions {
            let key = self.keys.some(queue, partition, &["di"]).remove(0);
            let mut ask = cmd("HGET");
            ask.arg(key).arg(id.to_string());
            let entry = self.session.command("find", &ask).await?;
            if !entry.is_nil() {
                return Ok(Some(Position {
                    partition,
                    section: Section::Dead,
                    key: entry.bytes()?.to_vec(),
                }));
            }
        }
        Ok(None)
    }

    /// Scans live rows for ids, as many rows as the limits say.
    pub(crate) async fn locate(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Located> {
        let bound = self
            .limits
            .find_rows_max
            .map_or(u64::MAX, |max| u64::from(max.get()));
        let mut places = HashMap::new();
        let mut read = 0;
        for partition in 0..self.partitions {
            for section in Section::SCANNED {
                let mut place = Position {
                    partition,
                    section,
                    key: Vec::new(),
                };
                loop {
                    if places.len() == ids.len() {
                        return Ok(Located {
                            places,
                            complete: true,
                        });
                    }
                    if read >= bound {
                        return Ok(Located {
                            places,
                            complete: false,
                        });
                    }
                    let (rows, next) = self.scan(queue, &place, ids, &mut places).await?;
                    read += rows;
                    if next.is_empty() {
                        break;
                    }
                    place.key = next;
                }
            }
        }
        Ok(Located {
            places,
            complete: true,
        })
    }

    async fn scan(
        &self,
        queue: &QueueName,
        place: &Position,
        ids: &[MessageId],
        places: &mut HashMap<MessageId, Position>,
    ) -> Result<(u64, Vec<u8>)> {
        let keys = self.keys.partition(queue, place.partition);
        let mut call = Call::new("find", &scripts::FIND, keys);
        call.arg(place.section.letter())
            .arg(&place.key)
            .arg(ROWS_MAX);
        for id in ids {
            call.arg(&id_bytes(*id)[..]);
        }
        let mut parts = self.session.run(&call).await?.list()?.into_iter();
        let (Some(next), Some(read)) = (parts.next(), parts.next()) else {
            return Err(unexpected_reply("find", "an answer is too short"));
        };
        for hit in parts {
            let [id, key] = hit.fixed()?;
            let id: [u8; 16] = id
                .bytes()?
                .as_ref()
                .try_into()
                .map_err(|_| unexpected_reply("find", "an id has a wrong length"))?;
            let found = Position {
                key: key.bytes()?.to_vec(),
                ..place.clone()
            };
            places
                .entry(MessageId::from_uuid(Uuid::from_bytes(id)))
                .or_insert(found);
        }
        Ok((read.count()?, next.bytes()?.to_vec()))
    }
}
