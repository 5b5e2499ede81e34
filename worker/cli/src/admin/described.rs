//! What each metric says.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

const COUNTERS: [(&str, &str); 10] = [
    (
        "longshore_enqueued_messages_total",
        "Messages that this process stored",
    ),
    (
        "longshore_received_messages_total",
        "Deliveries that this worker received",
    ),
    (
        "longshore_redelivered_messages_total",
        "Deliveries that were not the first of their message",
    ),
    (
        "longshore_settled_messages_total",
        "Deliveries by how they ended: acked, retried, dead or released",
    ),
    (
        "longshore_unserved_messages_total",
        "Deliveries put back because no handler takes their kind",
    ),
    (
        "longshore_lease_lost_total",
        "Deliveries whose lease was lost before they were settled",
    ),
    (
        "longshore_dead_letters_discarded_total",
        "Dead letters that this worker discarded because dead_keep was over",
    ),
    (
        "longshore_aggregate_epochs_total",
        "Closed epochs by what became of them (released, dead or put-off) and what completed them",
    ),
    (
        "longshore_store_errors_total",
        "Calls of the store that failed, by the kind of error",
    ),
    (
        "longshore_host_shortages_total",
        "Jobs given back because this host was short of something",
    ),
];

const GAUGES: [(&str, &str); 5] = [
    ("longshore_build_info", "The version that runs; always 1"),
    ("longshore_slots", "Slots of this worker, busy and free"),
    (
        "longshore_queue_messages",
        "Messages of a queue by state; (others) sums up those without a series",
    ),
    ("longshore_queue_paused", "1 while the queue is paused"),
    (
        "longshore_queues_left_out",
        "Queues without series of their own",
    ),
];

const HISTOGRAMS: [(&str, &str); 4] = [
    ("longshore_job_duration_seconds", "How long a job took"),
    (
        "longshore_job_wait_seconds",
        "From when a message was due to the start of its job",
    ),
    (
        "longshore_route_step_duration_seconds",
        "How long a step of a route took",
    ),
    (
        "longshore_store_operation_duration_seconds",
        "How long a call of the store took",
    ),
];

/// Gives every metric its help text.
pub(super) fn describe() {
    use Unit::{Count, Seconds};
    for (name, says) in COUNTERS {
        describe_counter!(name, Count, says);
    }
    for (name, says) in GAUGES {
        describe_gauge!(name, Count, says);
    }
    describe_gauge!(
        "longshore_queue_oldest_age_seconds",
        Seconds,
        "Since when the oldest message that could be handed out has been waiting"
    );
    for (name, says) in HISTOGRAMS {
        describe_histogram!(name, Seconds, says);
    }
}
