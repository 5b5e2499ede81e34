//! What the suite leaves out on several partitions.

/// What a queue of several partitions does not promise: `limits().ordered` is false, and
/// `limits().depth` is per partition.
pub(crate) const PARTITIONED: [(&str, &str); 15] = [
    ("lanes::a_batch_is_filled_from_all_lanes", ORDER),
    ("lanes::a_released_message_keeps_its_lane", ORDER),
    (
        "lanes::higher_lanes_get_more_turns_and_low_always_some",
        ORDER,
    ),
    (
        "lanes::low_moves_within_sixteen_receives_of_a_full_high_lane",
        ORDER,
    ),
    (
        "lanes::shares_are_of_messages_however_many_a_receive_takes",
        ORDER,
    ),
    (
        "lanes::shares_hold_over_several_calls_and_every_part_of_a_queue_advances",
        ORDER,
    ),
    ("lanes::within_a_lane_the_enqueue_order_holds", ORDER),
    (
        "export_adopt::a_message_can_be_exported_into_the_queue_it_came_from",
        ORDER,
    ),
    ("limits::a_full_queue_refuses_the_whole_call", DEPTH),
    ("limits::a_queue_may_be_filled_to_its_limit", DEPTH),
    (
        "limits::leased_and_delayed_messages_count_for_the_depth",
        DEPTH,
    ),
    ("limits::duplicates_do_not_count_for_the_depth", DEPTH),
    ("ids::the_first_message_stays_as_it_was", ID),
    ("dedup::a_duplicate_id_registers_no_key", ID),
    ("properties::random_histories_agree", ID),
];
const ORDER: &str = "no order between partitions";
const DEPTH: &str = "depth by partition";
const ID: &str = "an id is known with its group and dedup key";
