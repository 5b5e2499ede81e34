//! What only Redis can show: servers that fail, are set up wrongly, fail over, or are many.

mod chaos;
mod collecting;
mod direct_enqueue;
mod direct_faults;
mod direct_receive;
mod direct_special;
mod direct_topologies;
mod faults;
mod floor;
mod fsync;
mod large;
mod losses;
mod rights;
mod servers;
mod stage;
mod strangers;
mod topologies;
