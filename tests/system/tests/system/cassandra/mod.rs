//! On a real cluster of three nodes: faults of nodes, of connections and of workers, and a bench.

mod bench;
mod connections;
mod crew;
mod handover;
mod many;
mod nodes;
mod workers;
