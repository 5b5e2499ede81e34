//! What only Redis can show: servers that fail, are set up wrongly, fail over, or are many.

mod bare_enqueue;
mod bare_faults;
mod bare_receive;
mod bare_special;
mod bare_topologies;
mod chaos;
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
