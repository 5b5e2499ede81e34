//! What only Redis can show: servers that fail, are set up wrongly, fail over, or are many.

mod bare;
mod chaos;
mod faults;
mod large;
mod losses;
mod rights;
mod servers;
mod stage;
mod topologies;
