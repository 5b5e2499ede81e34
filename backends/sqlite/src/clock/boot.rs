//! The boot of the host, by whose time leases are measured.
//!
//! All processes of a host share the time since its boot, and no step of the wall clock moves it.
//! The first process that opens the file after a boot notes which number makes a time of leases of
//! it, and all others use that number. The time of leases never goes back, not by a restart of the
//! host with a clock that is wrong either: leases of the boot before it end soon after.

use longshore_core::{Clock, Finding, Result, Severity, Timestamp, Uptime};
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::file::lock::Turn;

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
                "the clock of this host was set again; leases go on, while due times and expiry \
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

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use longshore_core::StepListener;

    use super::*;

    const NOVEMBER: i64 = 1_795_000_000_000;

    #[derive(Debug)]
    struct Host {
        boot: Uuid,
        up: AtomicI64,
        wall_ahead: AtomicI64,
    }

    impl Host {
        fn started_at(boot: u128, wall: i64) -> Self {
            Self {
                boot: Uuid::from_u128(boot),
                up: AtomicI64::new(0),
                wall_ahead: AtomicI64::new(wall),
            }
        }
    }

    impl Clock for Host {
        fn now(&self) -> Timestamp {
            let up = self.up.load(Ordering::SeqCst);
            Timestamp::from_millis(up + self.wall_ahead.load(Ordering::SeqCst))
        }

        fn uptime(&self) -> Option<Uptime> {
            Some(Uptime {
                boot: self.boot,
                elapsed: Duration::from_millis(self.up.load(Ordering::SeqCst) as u64),
            })
        }

        fn on_step(&self, _listener: Weak<dyn StepListener>) {}
    }

    fn tables() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../../migrations/0002.sql"))
            .unwrap();
        conn
    }

    fn boot(conn: &Connection, host: &Host) -> Boot {
        let no_turn = || Err(longshore_core::StoreError::invalid_input("open", "none"));
        Boot::of(conn, host, no_turn).unwrap().unwrap()
    }

    #[test]
    fn a_step_that_was_noted_is_told_for_a_day() {
        let (conn, host) = (tables(), Host::started_at(1, NOVEMBER));
        let boot = boot(&conn, &host);
        boot.keep(&conn, &host).unwrap();
        assert!(boot.finding(&conn, &host).unwrap().is_none());
        host.wall_ahead.fetch_add(-7_000, Ordering::SeqCst);
        boot.keep(&conn, &host).unwrap();
        let told = || boot.finding(&conn, &host).unwrap();
        assert!(told().unwrap().found.contains("back by 7 s"));
        host.up.fetch_add(TOLD_FOR_MS - 1, Ordering::SeqCst);
        boot.keep(&conn, &host).unwrap();
        assert!(told().unwrap().found.contains("back by 7 s"));
        host.up.fetch_add(1, Ordering::SeqCst);
        assert!(told().is_none());
    }

    #[test]
    fn the_next_boot_begins_where_this_one_was_noted_last() {
        let (conn, host) = (tables(), Host::started_at(1, NOVEMBER));
        let first = boot(&conn, &host);
        host.up.fetch_add(90_000, Ordering::SeqCst);
        first.keep(&conn, &host).unwrap();
        let noted = first.lease_time(&host).unwrap();
        let again = Host::started_at(2, NOVEMBER - 3_600_000);
        let second = boot(&conn, &again);
        assert_eq!(second.lease_time(&again), Some(noted));
        assert_eq!(second.lease_time(&host), None, "that is another boot");
        // And at the wall clock where that is later.
        let later = Host::started_at(3, NOVEMBER + 3_600_000);
        let third = boot(&conn, &later);
        assert_eq!(third.lease_time(&later), Some(later.now()));
    }

    #[test]
    fn the_latest_boots_alone_are_kept() {
        let conn = tables();
        for number in 0..40 {
            let host = Host::started_at(number, NOVEMBER + number as i64);
            boot(&conn, &host);
        }
        let count = conn.query_row("SELECT count(*), min(latest) FROM boot", (), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(count.unwrap(), (KEPT, NOVEMBER + 40 - KEPT));
    }
}
