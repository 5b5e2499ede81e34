//! Several real processes on one store, killed, stopped, starved and lied to.

mod aggregates;
mod cassandra;
mod crashes;
mod crowd;
mod damage;
mod data_centres;
mod deployment;
mod drain;
mod enqueue_killed;
mod full_disk;
mod hung;
mod killer;
mod moves;
mod opening;
mod quickstart;
mod scenes;
mod soak;
mod stall;
mod stops;
mod zombie;
