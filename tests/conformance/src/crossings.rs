//! Which case tries each operation together with each feature.
//!
//! Most faults that users met lay where two features meet. The table names the case for every pair,
//! or says why there is nothing to try; a test holds that it is full and that the cases exist.

use std::collections::BTreeSet;

use Cell::{Case, Nothing};

/// What is tried where an operation meets a feature.
#[derive(Clone, Copy, Debug)]
enum Cell {
    /// A case of the suite.
    Case(&'static str),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// The features, in the order of the cells.
const FEATURES: [&str; 9] = [
    "groups",
    "lanes",
    "delays",
    "dedup",
    "given ids",
    "expiry",
    "pause",
    "parking",
    "moving",
];

const KEY: Cell = Nothing("a key is asked at the enqueue only");
const LANE: Cell = Nothing("a lane is asked at the hand-out only");
const IN_HANDS: Cell = Nothing("what is in hands is not delayed");
const PARKED: Cell = Nothing("no member of a parked group is in hands");
const DEAD: Cell = Nothing("a dead letter has it no more");

/// The operations, each with a cell for each feature.
const TABLE: [(&str, [Cell; 9]); 14] = [
    (
        "enqueue",
        [
            Case("groups::members_follow_in_enqueue_order"),
            Case("lanes::within_a_lane_the_enqueue_order_holds"),
            Case("enqueue::a_delayed_message_waits_for_its_due_time"),
            Case("dedup::a_repeat_answers_the_first_id_and_stores_nothing"),
            Case("ids::a_given_id_is_known_while_it_waits"),
            Case("expiry::a_message_is_handed_out_until_it_expires"),
            Case("pause::a_paused_queue_takes_messages_and_settlements"),
            Case("parking::what_is_enqueued_later_is_held_too"),
            Case("moving::a_marked_queue_takes_messages_and_settlements"),
        ],
    ),
    (
        "receive",
        [
            Case("groups::one_member_is_handed_out_at_a_time"),
            Case("lanes::higher_lanes_get_more_turns_and_low_always_some"),
            Case("wake::a_due_time_wakes_a_receive"),
            KEY,
            Case("groups::given_ids_decide_nothing_among_members_due_at_the_same_time"),
            Case("expiry::an_expired_message_is_dead_before_receive_answers"),
            Case("pause::a_paused_queue_hands_out_nothing"),
            Case("parking::a_parked_group_is_held"),
            Case("moving::a_marked_queue_hands_out_nothing"),
        ],
    ),
    (
        "extend",
        [
            Case("kept::an_extended_head_holds_its_group"),
            LANE,
            IN_HANDS,
            KEY,
            Case("ids::a_given_id_is_known_while_it_is_leased"),
            Case("expiry::a_message_in_work_does_not_expire"),
            Case("extend::a_paused_queue_extends"),
            PARKED,
            Case("held_queues::a_marked_queue_extends"),
        ],
    ),
    (
        "ack",
        [
            Case("groups::an_ack_admits_the_successor_at_once"),
            LANE,
            IN_HANDS,
            Case("dedup::a_key_is_known_after_the_ack"),
            Case("ids::a_given_id_is_known_for_its_window_after_the_ack"),
            Case("expiry::a_message_in_work_does_not_expire"),
            Case("pause::a_paused_queue_takes_messages_and_settlements"),
            Case("parking::other_groups_go_on_while_one_is_parked"),
            Case("moving::a_marked_queue_takes_messages_and_settlements"),
        ],
    ),
    (
        "retry",
        [
            Case("groups::a_retried_head_keeps_the_head"),
            Case("kept::a_retried_message_keeps_its_lane"),
            Case("settle::a_retry_comes_back_when_it_is_due"),
            Case("kept::a_key_is_known_while_its_message_backs_off"),
            Case("ids::a_given_id_is_known_while_it_backs_off"),
            Case("expiry::expiry_is_tested_when_a_retry_is_redelivered"),
            Case("held_queues::a_retry_in_a_paused_queue_waits_for_the_resume"),
            PARKED,
            Case("moving::a_marked_queue_takes_messages_and_settlements"),
        ],
    ),
    (
        "release",
        [
            Case("groups::a_released_head_keeps_the_head"),
            Case("lanes::a_released_message_keeps_its_lane"),
            Case("release::a_release_may_wait"),
            KEY,
            Case("kept::a_given_id_is_known_after_a_release"),
            Case("kept::expiry_is_tested_when_a_release_is_redelivered"),
            Case("held_queues::a_release_in_a_paused_queue_waits_for_the_resume"),
            PARKED,
            Case("held_queues::a_release_in_a_marked_queue_stays"),
        ],
    ),
    (
        "dead-letter",
        [
            Case("groups::a_dead_head_admits_its_successor"),
            Nothing("dead letters have one list"),
            IN_HANDS,
            Case("dedup::a_key_is_known_while_its_message_is_dead"),
            Case("dead_letters::a_dead_id_is_known"),
            Case("kept::a_dead_letter_does_not_expire"),
            Case("held_queues::a_head_that_dies_in_a_held_queue_parks_its_group_there"),
            Case("parking::a_parked_group_is_held"),
            Case("held_queues::a_head_that_dies_in_a_held_queue_parks_its_group_there"),
        ],
    ),
    (
        "cancel",
        [
            Case("groups::a_cancelled_head_admits_its_successor"),
            Case("kept::every_lane_can_be_cancelled_and_purged"),
            Case("admin::cancel_removes_what_nobody_works_on"),
            Case("dedup::cancel_forgets_the_key"),
            Case("ids::cancel_forgets_the_id"),
            Case("kept::what_expired_unseen_can_be_cancelled_and_purged"),
            Case("held_queues::a_head_cancelled_in_a_held_queue_admits_its_successor_later"),
            Case("kept::what_is_changed_behind_a_parked_head_stays_held"),
            Case("held_queues::a_head_cancelled_in_a_held_queue_admits_its_successor_later"),
        ],
    ),
    (
        "reschedule",
        [
            Case("groups::a_head_may_be_rescheduled_out_of_the_way"),
            Case("kept::a_rescheduled_message_keeps_its_lane"),
            Case("admin::reschedule_brings_a_delayed_message_forward"),
            KEY,
            Case("ids::a_repeat_changes_nothing_about_one_that_was_rescheduled"),
            Case("kept::a_message_put_off_beyond_its_expiry_expires"),
            Case("held_queues::what_is_rescheduled_in_a_held_queue_waits"),
            Case("kept::what_is_changed_behind_a_parked_head_stays_held"),
            Case("held_queues::what_is_rescheduled_in_a_held_queue_waits"),
        ],
    ),
    (
        "purge",
        [
            Case("groups::a_purge_leaves_no_group_behind"),
            Case("kept::every_lane_can_be_cancelled_and_purged"),
            Case("admin::purge_removes_what_nobody_works_on"),
            Case("dedup::purge_forgets_the_keys_of_what_it_removed"),
            Case("ids::purge_forgets_what_it_removed_and_nothing_else"),
            Case("kept::what_expired_unseen_can_be_cancelled_and_purged"),
            Case("held_queues::a_held_queue_can_be_purged"),
            Case("parking::a_held_group_can_be_purged_and_stays_held"),
            Case("held_queues::a_held_queue_can_be_purged"),
        ],
    ),
    (
        "redrive",
        [
            Case("parking::a_redriven_member_that_did_not_park_joins_the_tail"),
            Case("kept::a_redriven_message_keeps_its_lane"),
            Case("redrive::a_redriven_message_is_ready_at_once"),
            Case("redrive::redrive_ignores_the_dedup_window"),
            Case("redrive::the_id_window_runs_from_the_last_ack"),
            Case("expiry::a_redriven_message_does_not_expire_again"),
            Case("held_queues::what_is_redriven_in_a_held_queue_waits"),
            Case("parking::the_parked_member_redriven_is_the_head"),
            Case("held_queues::what_is_redriven_in_a_held_queue_waits"),
        ],
    ),
    (
        "discard",
        [
            Case("parking::the_parked_member_discarded_lets_the_next_go_on"),
            DEAD,
            DEAD,
            Case("dead_letters::discard_forgets_the_id_and_the_key"),
            Case("dead_letters::discard_forgets_the_id_and_the_key"),
            DEAD,
            Case("held_queues::a_parked_head_discarded_in_a_held_queue_frees_its_group_later"),
            Case("parking::the_parked_member_discarded_lets_the_next_go_on"),
            Case("held_queues::a_parked_head_discarded_in_a_held_queue_frees_its_group_later"),
        ],
    ),
    (
        "export and adopt",
        [
            Case("export_adopt::groups_keep_their_order"),
            Case("kept::an_adopted_message_keeps_its_lane"),
            Case("export_adopt::delayed_messages_keep_their_due_times"),
            Case("kept::a_key_is_known_where_its_message_moved_to"),
            Case("export_adopt::a_given_id_is_known_where_it_moved_to"),
            Case("kept::an_adopted_message_expires_when_it_said"),
            Case("held_queues::a_held_queue_adopts_and_exports"),
            Case("export_adopt::an_adopted_parked_member_holds_its_group"),
            Case("held_queues::a_held_queue_adopts_and_exports"),
        ],
    ),
    (
        "peek, find and stats",
        [
            Case("groups::waiting_members_count_as_waiting"),
            Case("admin::peek_shows_every_live_message_once_in_queue_order"),
            Case("admin::stats_count_each_state"),
            KEY,
            Case("admin::find_shows_each_state"),
            Case("expiry::nothing_expires_until_somebody_receives"),
            Case("pause::a_pause_tells_who_and_why_and_since_when"),
            Case("check::parked_groups_are_told"),
            Case("moving::the_mark_is_seen_by_everyone_with_its_time"),
        ],
    ),
];

#[test]
fn every_case_of_the_table_is_in_the_suite() {
    let known: BTreeSet<&str> = crate::cases().map(|case| case.name).collect();
    for (operation, cells) in TABLE {
        for (feature, cell) in FEATURES.iter().zip(cells) {
            match cell {
                Case(name) => assert!(
                    known.contains(name),
                    "{operation} and {feature}: there is no case {name}"
                ),
                Nothing(why) => assert!(!why.is_empty(), "{operation} and {feature}"),
            }
        }
    }
}

/// A call of the contract that changes messages, or shows them, has its row.
#[test]
fn every_operation_on_messages_has_a_row() {
    let rows: String = TABLE.map(|(operation, _)| operation).join(" ");
    let aside = [
        // They are features, or about the queue as a whole.
        "queues",
        "delete",
        "configure",
        "settings",
        "pause",
        "resume",
        "mark_moving",
        "workers",
        "announce",
        "check",
        // In the rows of settlements, of `export and adopt`, and of `peek, find and stats`.
        "settle",
        "dead_letters",
        // Not about messages.
        "acquire",
        "renew",
        "release",
        "current",
        "load",
        "list",
        "save",
        // About parts and epochs.
        "append",
        "turn",
        "parts",
        "answer",
        "finish",
        "list aggregates",
        "epochs",
        "change epochs",
    ];
    for call in crate::Call::ALL {
        let name = call.name();
        let has_row = rows.split(' ').any(|row| row.trim_matches(',') == name);
        assert!(has_row || aside.contains(&name), "{name} has no row");
    }
}
