//! The boot of the host, by whose time leases are measured.
//!
//! All processes of a host share the time since its boot, and no step of the wall clock moves it.
//! The first process that opens the file after a boot notes which number makes a time of leases of
//! it, and all others use that number. The time of leases never goes back, not by a restart of the
//! host with a clock that is wrong either: leases of the boot before it end soon after.

use longshore_core::{Clock, Finding, Result, Severity, Timestamp, Uptime};
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::side_lock::Turn;

/// A wall clock that is moved by less is one that is kept right.
const STEP_MS: i64 = 1_000;
/// So long a step is worth a word.
const TOLD_FOR_MS: i64 = 24 * 3_600_000;
/// The latest few are kept: sandboxes on one host may each believe in a boot of their own.
const KEPT: i64 = 16;

/// One boot of a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boot {
    id: Uuid,
    /// The time of leases less the time since the boot, in ms.
    lease_ahead: i64,
}

impl Boot {
    /// This boot, noted in the file if it is the first time there. `None` where the host does not
    /// tell how long it has been up.
    pub(crate) fn of<'a>(
        conn: &Connection,
        clock: &dyn Clock,
        turn: impl FnOnce() -> Result<Turn<'a>>,
    ) -> rusqlite::Result<Option<Self>> {
        let Some(uptime) = clock.uptime() else {
            return Ok(None);
        };
        if let Some(known) = Self::find(conn, uptime.boot)? {
            return Ok(Some(known));
        }
        // Without a turn another process may be in the way, which is met below.
        let _turn = turn();
        let noted = conn.execute_batch("BEGIN IMMEDIATE").and_then(|()| {
            let boot = match Self::find(conn, uptime.boot)? {
                Some(known) => known,
                None => Self::note(conn, uptime, clock.now())?,
            };
            conn.execute_batch("COMMIT").map(|()| boot)
        });
        if noted.is_err() && !conn.is_autocommit() {
            conn.execute_batch("ROLLBACK")?;
        }
        match noted {
            Ok(boot) => Ok(Some(boot)),
            // On a full disk, say: what is in the file can still be worked, as before any step.
            Err(error) => {
                tracing::debug!(%error, "the boot of this host could not be noted");
                Ok(Some(Self {
                    id: uptime.boot,
                    lease_ahead: clock.now().as_millis() - millis(uptime),
                }))
            }
        }
    }

    fn find(conn: &Connection, id: Uuid) -> rusqlite::Result<Option<Self>> {
        conn.prepare_cached("SELECT lease_ahead FROM boot WHERE id = ?1")?
            .query_row([id.to_string()], |row| {
                Ok(Self {
                    id,
                    lease_ahead: row.get(0)?,
                })
            })
            .optional()
    }

    fn note(conn: &Connection, uptime: Uptime, wall: Timestamp) -> rusqlite::Result<Self> {
        let latest: Option<i64> =
            conn.query_row("SELECT max(latest) FROM boot", (), |row| row.get(0))?;
        let begin = wall.as_millis().max(latest.unwrap_or(i64::MIN));
        let boot = Self {
            id: uptime.boot,
            lease_ahead: begin - millis(uptime),
        };
        conn.execute(
            "INSERT INTO boot (id, lease_ahead, wall_ahead, latest) VALUES (?1, ?2, ?3, ?4)",
            params![
                boot.id.to_string(),
                boot.lease_ahead,
                wall.as_millis() - millis(uptime),
                begin
            ],
        )?;
        conn.execute(
            "DELETE FROM boot WHERE id NOT IN (SELECT id FROM boot ORDER BY latest DESC LIMIT ?1)",
            [KEPT],
        )?;
        Ok(boot)
    }

    /// The time of leases; `None` where the clock is that of another boot.
    pub(crate) fn lease_time(&self, clock: &dyn Clock) -> Option<Timestamp> {
        let uptime = clock.uptime().filter(|uptime| uptime.boot == self.id)?;
        Some(Timestamp::from_millis(millis(uptime) + self.lease_ahead))
    }

    /// Notes how far the time of leases is, and that the wall clock stepped, if it did.
    pub(crate) fn keep(&self, conn: &Connection, clock: &dyn Clock) -> rusqlite::Result<()> {
        let Some(uptime) = clock.uptime().filter(|uptime| uptime.boot == self.id) else {
            return Ok(());
        };
        let latest = millis(uptime) + self.lease_ahead;
        let wall_ahead = clock.now().as_millis() - millis(uptime);
        conn.prepare_cached("UPDATE boot SET latest = max(latest, ?2) WHERE id = ?1")?
            .execute(params![self.id.to_string(), latest])?;
        let stepped = conn
            .prepare_cached(
                "UPDATE boot SET stepped = ?2 - wall_ahead, stepped_at = ?3, wall_ahead = ?2
                 WHERE id = ?1 AND abs(?2 - wall_ahead) > ?4",
            )?
            .execute(params![self.id.to_string(), wall_ahead, latest, STEP_MS])?;
        if stepped > 0 {
            tracing::warn!(
                "the clock of this host was set anew; leases go on, while due times and expiry \
                 follow the clock"
            );
        }
        Ok(())
    }

    /// What is worth saying of the wall clock.
    pub(crate) fn finding(
        &self,
        conn: &Connection,
        clock: &dyn Clock,
    ) -> rusqlite::Result<Option<Finding>> {
        let Some(uptime) = clock.uptime().filter(|uptime| uptime.boot == self.id) else {
            return Ok(None);
        };
        let row = conn
            .prepare_cached("SELECT wall_ahead, stepped, stepped_at FROM boot WHERE id = ?1")?
            .query_row([self.id.to_string()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((wall_ahead, before, stepped_at)): Option<(i64, i64, i64)> = row else {
            return Ok(None);
        };
        let unseen = clock.now().as_millis() - millis(uptime) - wall_ahead;
        let age = millis(uptime) + self.lease_ahead - stepped_at;
        let stepped = if unseen.abs() > STEP_MS {
            unseen
        } else if stepped_at > 0 && age < TOLD_FOR_MS {
            before
        } else {
            return Ok(None);
        };
        Ok(Some(in_words(stepped)))
    }
}

fn in_words(stepped: i64) -> Finding {
    let direction = if stepped > 0 { "ahead" } else { "back" };
    let found = format!(
        "the clock of this host was set {direction} by {} s within the last day: leases are not \
         touched, but due times, delays and expiry follow the clock",
        stepped.unsigned_abs() / 1_000
    );
    Finding::new(Severity::Warning, "clock", found)
        .fix("see that the host's time service runs; `longshore peek` shows what is due when")
}

fn millis(uptime: Uptime) -> i64 {
    i64::try_from(uptime.elapsed.as_millis()).unwrap_or(i64::MAX)
}
