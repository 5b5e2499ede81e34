//! The Redis store of longshore.
