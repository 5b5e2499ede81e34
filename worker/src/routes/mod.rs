//! Routes: a file that says what happens to the messages of a queue.
