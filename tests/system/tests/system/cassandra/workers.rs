//! Workers that stand still, and two of them that hold the same stripes.

use std::collections::BTreeSet;
use std::time::Duration;

use longshore_system_tests::{Act, CassandraAudit, CassandraCluster, Moment, Place, until};

use super::crew::{Crew, LONG, assert_nothing_is_lost};
use crate::scenes::effects;
use crate::zombie::a_worker_that_slept_too_long_changes_nothing_in;

/// Its stripes go to the other worker, and its messages once their leases have ended.
#[test]
fn a_worker_that_slept_too_long_changes_nothing_on_cassandra() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let lease = Duration::from_secs(6);
    a_worker_that_slept_too_long_changes_nothing_in(&place, &cluster.store(), lease);
}

/// Each of two busy workers is taken for dead in turns, which it is not: for a while both hand
/// out what lies on the same stripes.
#[test]
fn two_workers_that_hold_the_same_stripes_lose_nothing() {
    const ROUNDS: u64 = 6;
    const JOBS: u64 = 300;
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let mut crew = Crew::new(&cluster, &place, 2, |order| {
        order.slots = 4;
        order.redeliveries = 100;
    });
    let audit = CassandraAudit::connect(crew.cli.store());
    crew.fleet.start_all();
    let mut seen = BTreeSet::new();
    for round in 0..ROUNDS {
        crew.enqueue((0..JOBS).map(|job| (round * JOBS + job, Act::Take(20))));
        let owners = until_owned(&audit);
        seen.extend(owners.iter().copied());
        for owner in owners {
            audit.declare_dead(owner);
        }
        until("other owners", LONG, || {
            audit.owners().iter().any(|owner| !seen.contains(owner))
        });
        crew.until_done(usize::try_from((round + 1) * JOBS).expect("a small number"));
    }
    let history = crew.finish();
    assert_nothing_is_lost(&history);
    let starts = effects(&place).count(Moment::Start) as u64;
    println!(
        "{} owners, {} repeated deliveries of {}",
        seen.len(),
        starts - ROUNDS * JOBS,
        ROUNDS * JOBS
    );
    assert!(
        seen.len() as u64 > ROUNDS,
        "too few changed hands: {seen:?}"
    );
}

/// The processes that own stripes, once there is one.
fn until_owned(audit: &CassandraAudit) -> BTreeSet<uuid::Uuid> {
    let mut owners = BTreeSet::new();
    until("an owner", LONG, || {
        owners = audit.owners();
        !owners.is_empty()
    });
    owners
}
