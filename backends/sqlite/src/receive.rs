//! Handing messages out.

pub(crate) mod look;
pub(crate) mod promote;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::wire::{DecodeError, decode};
use longshore_core::{
    DeadReason, Delivery, Lane, Message, OnExpired, QueueName, Receive, Received, Timestamp,
};
use rusqlite::{CachedStatement, Row, params};

use crate::database::transaction::{Tx, new_token};
use crate::dead::dead_letter;
use crate::enqueue::recent_ids::remember_id;
use crate::error::Outcome;
use crate::receipt::receipt;
use crate::receive::promote::promote;
use crate::rows::detail::Detail;
use crate::rows::group;
use crate::rows::message::{Live, columns};
use crate::rows::queue::QueueRow;
use crate::rows::state::{self, LEASED, SET_ASIDE, number};

/// How long a row of a newer version is put back.
const PUT_BACK: Duration = Duration::from_secs(60);
/// One transaction looks at this many rows at most: a queue full of expired messages is cleared
/// over several, and other writers get their turns.
const ROWS_MAX: usize = 2000;

/// Leases a row; only what has the same length afterwards is written.
const CLAIM: &str = concat!(
    "UPDATE message SET state = ",
    number!(LEASED),
    ", at = ?2, token = ?3, attempts = ?4 WHERE seq = ?1"
);

/// A message that may be handed out.
struct Candidate {
    row: Live,
    place: (i64, i64),
    head: Vec<u8>,
    body: Bytes,
}

/// The first messages of each lane.
struct Ready {
    of_lanes: [VecDeque<Candidate>; 3],
    /// How many were asked for: a lane that gave as many may have more.
    limits: [usize; 3],
    /// How many came.
    read: [usize; 3],
}

impl Ready {
    fn is_empty(&self) -> bool {
        self.of_lanes.iter().all(VecDeque::is_empty)
    }

    /// The next one at a turn; `None` where a lane has to be read on before that can be told.
    fn next(&mut self, turn: u64) -> Option<Candidate> {
        for lane in Lane::order_at(turn) {
            let slot = usize::from(lane.number());
            if let Some(candidate) = self.of_lanes[slot].pop_front() {
                return Some(candidate);
            }
            if self.limits[slot] > 0 && self.read[slot] >= self.limits[slot] {
                return None;
            }
        }
        None
    }
}

/// Leases what is ready.
pub(crate) fn receive(tx: &Tx<'_>, name: &QueueName, request: Receive) -> Outcome<Received> {
    let mut received = Received::default();
    let Some(mut queue) = QueueRow::find(tx.conn(), name)? else {
        return Ok(received);
    };
    if queue.is_stopped() {
        return Ok(received);
    }
    promote(tx, &mut queue)?;
    let until = tx.moment.lease_for(request.lease);
    let wanted = request.batch_max.get() as usize;
    let order = Lane::order_at(queue.turn as u64);
    let mut looked_at = 0;
    while received.deliveries.len() < wanted && looked_at < ROWS_MAX {
        let mut ready = candidates(tx, &queue, wanted - received.deliveries.len())?;
        if ready.is_empty() {
            break;
        }
        let mut claim = tx.sql(CLAIM)?;
        while received.deliveries.len() < wanted
            && let Some(candidate) = ready.next(queue.turn as u64)
        {
            looked_at += 1;
            let before = received.deliveries.len();
            hand_out(tx, &mut queue, &mut claim, candidate, until, &mut received)?;
            queue.went((received.deliveries.len() - before) as u64);
        }
    }
    // Lane by lane, in the order of the first turn.
    let rank = |one: &Delivery| order.iter().position(|lane| *lane == one.message.lane);
    received.deliveries.sort_by_key(rank);
    queue.save(tx)?;
    Ok(received)
}

/// The next messages: of each lane its share of the turns, and what others do not use, by place
/// inside a lane. A message whose lease ended still has its place.
fn candidates(tx: &Tx<'_>, queue: &QueueRow, wanted: usize) -> Outcome<Ready> {
    let mut ended = list(
        tx,
        concat!(
            "SELECT ",
            columns!(),
            ", head, body FROM message
              WHERE queue = ?1 AND state = ?2 AND at <= ?3 ORDER BY at, seq LIMIT ?4"
        ),
        params![
            queue.number,
            LEASED,
            tx.moment.lease.as_millis(),
            wanted as i64
        ],
        |row| (row.due, row.seq),
    )?;
    // Read from the lane that leads on: where it has all that is wanted and the turn is its alone,
    // nothing else is read.
    let turn = queue.turn as u64;
    let shares = Lane::shares_at(turn, wanted);
    let mut of_lanes: [VecDeque<Candidate>; 3] = Default::default();
    let mut limits = [0; 3];
    let mut left = wanted;
    for lane in Lane::order_at(turn) {
        let slot = usize::from(lane.number());
        // What the lanes before it leave, and its own share at least.
        let most = left.max(shares[slot]);
        limits[slot] = most;
        if most == 0 {
            continue;
        }
        let mut of_lane: VecDeque<_>;
        (of_lane, ended) = ended
            .into_iter()
            .partition(|one| state::ready_of(one.row.flags) == state::ready(lane));
        let is_mixed = !of_lane.is_empty();
        of_lane.extend(list(
            tx,
            concat!(
                "SELECT ",
                columns!(),
                ", head, body FROM message
                  WHERE queue = ?1 AND state = ?2 ORDER BY at, seq LIMIT ?3"
            ),
            params![queue.number, state::ready(lane), most as i64],
            |row| (row.at, row.seq),
        )?);
        if is_mixed {
            of_lane
                .make_contiguous()
                .sort_by_key(|candidate| candidate.place);
        }
        left = left.saturating_sub(of_lane.len());
        of_lanes[slot] = of_lane;
    }
    let read = [0, 1, 2].map(|slot| of_lanes[slot].len());
    Ok(Ready {
        of_lanes,
        limits,
        read,
    })
}

fn list(
    tx: &Tx<'_>,
    text: &str,
    params: impl rusqlite::Params,
    place: impl Fn(&Live) -> (i64, i64),
) -> Outcome<VecDeque<Candidate>> {
    let mut statement = tx.sql(text)?;
    let rows = statement.query_map(params, |row| candidate(row, &place))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn candidate(row: &Row<'_>, place: impl Fn(&Live) -> (i64, i64)) -> rusqlite::Result<Candidate> {
    let live = Live::of(row)?;
    Ok(Candidate {
        place: place(&live),
        row: live,
        head: row.get(10)?,
        body: Bytes::copy_from_slice(row.get_ref(11)?.as_blob().unwrap_or_default()),
    })
}

fn hand_out(
    tx: &Tx<'_>,
    queue: &mut QueueRow,
    claim: &mut CachedStatement<'_>,
    candidate: Candidate,
    until: Timestamp,
    received: &mut Received,
) -> Outcome<()> {
    let Candidate {
        mut row,
        head,
        body,
        ..
    } = candidate;
    match decode(&head, body) {
        Ok(message) if message.expires_at.is_some_and(|at| at <= tx.now) => expire(tx, queue, row),
        Ok(message) => {
            let delivery = lease(tx, queue, claim, &row, message, until)?;
            received.deliveries.push(delivery);
            Ok(())
        }
        Err(DecodeError::Damaged(why)) => {
            received.set_aside += 1;
            let detail = Detail::read(tx.conn(), row.seq, row.flags)?;
            dead_letter(
                tx,
                queue,
                &mut row,
                detail,
                (DeadReason::Damaged, format!("the row is damaged: {why}")),
                false,
            )
        }
        Err(_newer) => {
            received.set_aside += 1;
            let again = tx.now.plus(PUT_BACK).as_millis();
            row.enter(tx, queue, SET_ASIDE, again)
        }
    }
}

fn lease(
    tx: &Tx<'_>,
    queue: &mut QueueRow,
    claim: &mut CachedStatement<'_>,
    row: &Live,
    message: Message,
    until: Timestamp,
) -> Outcome<Delivery> {
    let token = new_token();
    let attempt = row.attempts.saturating_add(1);
    queue.shift(row.state, LEASED);
    claim.execute(params![row.seq, until.as_millis(), token, attempt])?;
    let mut delivery = Delivery::new(
        message,
        receipt(row.seq, token),
        attempt,
        tx.moment.by_wall(until),
    );
    if row.has_detail() {
        let detail = Detail::read(tx.conn(), row.seq, row.flags)?;
        delivery.checkpoint = detail.checkpoint;
        delivery.recorded_through = detail.recorded_through;
    }
    Ok(delivery)
}

fn expire(tx: &Tx<'_>, queue: &mut QueueRow, mut row: Live) -> Outcome<()> {
    if queue.settings.on_expired.unwrap_or_default() == OnExpired::Dead {
        let detail = Detail::read(tx.conn(), row.seq, row.flags)?;
        let error = "it expired before it could be handed out".to_owned();
        return dead_letter(
            tx,
            queue,
            &mut row,
            detail,
            (DeadReason::Expired, error),
            false,
        );
    }
    if row.is_given() {
        remember_id(tx, queue, row.id)?;
    }
    row.delete(tx, queue)?;
    match &row.group {
        Some(name) => group::admit(tx, queue, name),
        None => Ok(()),
    }
}
