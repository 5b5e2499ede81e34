//! Nodes that are killed, and stopped, under load.

use longshore_system_tests::{CassandraCluster, Ending, Place, until};

use super::crew::{Crew, LONG, Outage, assert_nothing_ran_twice, assert_only_these_ran_twice};
use crate::scenes::QUEUE;

/// One node of three is killed while jobs come and go, then it comes back.
#[test]
fn a_killed_node_stops_nobody_and_nothing_is_lost() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let mut crew = Crew::new(&cluster, &place, 2, |_| ());
    crew.start();
    crew.until_it_goes_on("jobs with three nodes", 50);
    let killed = cluster.kill(&[2]);
    crew.until_it_goes_on("jobs with two nodes", 200);
    until_doctor_finds(&crew, "2 of 3 nodes");
    killed.back();
    crew.until_it_goes_on("jobs with three nodes again", 50);
    until_doctor_finds(&crew, "3 of 3 nodes");
    assert_nothing_ran_twice(&crew.finish());
}

/// Waits until an operator would read this.
fn until_doctor_finds(crew: &Crew<'_>, found: &str) {
    until(&format!("doctor to find {found}"), LONG, || {
        crew.cli.call(&["doctor"]).stdout.contains(found)
    });
}

/// A node that stands still keeps its connections, and answers nothing on them.
#[test]
fn a_node_that_stands_still_stops_nobody_and_nothing_is_lost() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let mut crew = Crew::new(&cluster, &place, 2, |_| ());
    crew.start();
    crew.until_it_goes_on("jobs with three nodes", 50);
    let stopped = cluster.pause(&[2]);
    crew.until_it_goes_on("jobs while a node stands still", 200);
    stopped.back();
    crew.until_it_goes_on("jobs with three nodes again", 50);
    assert_nothing_ran_twice(&crew.finish());
}

/// Without a quorum every call says so, and with one the same processes go on by themselves.
#[test]
fn two_nodes_down_is_an_error_that_says_so_and_passes_by_itself() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let mut crew = Crew::new(&cluster, &place, 2, |_| ());
    crew.start();
    crew.until_it_goes_on("jobs with three nodes", 200);
    let outage = Outage::begin(&crew);
    let killed = cluster.kill(&[2, 3]);
    // Until the third one has found them missing it waits for them.
    until("the error that says what is missing", LONG, || {
        let answer = crew.cli.call(&["queues", QUEUE]);
        assert_eq!(answer.ending, Ending::Code(69), "{answer:?}");
        answer.stderr.contains("too few ")
    });
    for arguments in [
        &["enqueue", "another", "{}"][..],
        &["receive", QUEUE],
        &["pause", QUEUE],
        &["dead", "list", QUEUE],
    ] {
        let answer = crew.cli.call(arguments);
        answer.refuses(69, "too few ");
    }
    killed.back();
    let excused = outage.end(&crew, 100);
    assert_only_these_ran_twice(&crew.finish(), &excused);
}
