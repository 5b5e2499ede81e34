//! The steps of the store against three simulated replicas: delayed and lost writes, clock skew,
//! paused and killed processes, two owners at a time; drawn from seeds, in virtual time.

mod actors;
mod broken;
mod history;
mod log_cells;
mod log_faults;
mod log_rows;
mod log_run;
mod logs;
mod moved;
mod network;
mod owners;
mod partition;
mod process;
mod protocol;
mod replicas;
mod rows;
mod run;
mod virtual_time;
mod weather;
