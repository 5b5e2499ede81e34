//! Aggregates: messages that are collected under a key and go on as one.
//!
//! **Owns** the words of aggregation and every decision about it: what completes an epoch
//! ([`rules`]), where a part goes and when an epoch is due ([`decide`]). A store keeps rows and asks
//! here; it decides nothing itself. Stores that keep an aggregate in memory share its state
//! machine ([`state`]).
//!
//! **Invariant.** A part that a store accepted is in exactly one epoch, and an epoch is closed once.

pub(crate) mod decide;
pub(crate) mod epoch;
pub(crate) mod info;
pub(crate) mod open;
pub(crate) mod part;
pub(crate) mod place;
pub(crate) mod rules;
pub(crate) mod state;
