//! The cases that ask for one order of a whole queue, for one place of its groups, or for one place
//! of the parts of an aggregate.

/// What asks for one order of a whole queue: `limits().ordered` says whether there is one. It is
/// played on queues of one shard; all else on the default. Copies are collapsed within a shard, so
/// those of two groups are met there, too; and parts are known by their ids within a shard, which
/// their key decides.
pub(crate) const ORDER: [(&str, &str); 23] = [
    (
        "admin::the_oldest_age_is_that_of_the_oldest_ready_message",
        "order",
    ),
    (
        "aggregate_parts::a_repeat_under_another_key_is_a_duplicate",
        "parts known by shard",
    ),
    (
        "cancellation::a_dropped_enqueue_stores_each_message_wholly_or_not",
        "order",
    ),
    ("damage::damaged_rows_do_not_block_those_behind", "order"),
    ("damage::newer_rows_do_not_block_those_behind", "order"),
    ("dead_letters::every_reason_is_kept", "order"),
    (
        "export_adopt::a_message_can_be_exported_into_the_queue_it_came_from",
        "order",
    ),
    ("extremes::a_year_passes_without_harm", "order"),
    (
        "groups::a_busy_group_does_not_hide_what_is_behind_it",
        "order",
    ),
    ("groups::groups_do_not_hold_each_other_up", "order"),
    (
        "ids::the_first_message_stays_as_it_was",
        "copies of two groups",
    ),
    ("lanes::a_batch_is_filled_from_all_lanes", "order"),
    ("lanes::a_released_message_keeps_its_lane", "order"),
    (
        "lanes::higher_lanes_get_more_turns_and_low_always_some",
        "order",
    ),
    (
        "lanes::low_moves_within_sixteen_receives_of_a_full_high_lane",
        "order",
    ),
    ("lanes::within_a_lane_the_enqueue_order_holds", "order"),
    ("parking::other_groups_go_on_while_one_is_parked", "order"),
    ("properties::random_aggregates_agree", "order"),
    ("properties::random_histories_agree", "order"),
    (
        "receive::an_ended_lease_comes_before_later_messages",
        "order",
    ),
    ("receive::first_deliveries_are_in_enqueue_order", "order"),
    ("release::a_released_message_keeps_its_place", "order"),
    ("settle::a_due_retry_is_not_behind_later_messages", "order"),
];
