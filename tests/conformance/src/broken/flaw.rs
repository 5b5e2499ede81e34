//! What can be wrong with a store, and who must notice.

macro_rules! flaws {
    ($name:ident: $($(#[$doc:meta])+ $flaw:ident: $($case:literal),+;)+) => {
        /// One broken rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])+ $flaw,)+
        }

        impl $name {
            /// All flaws.
            pub const ALL: &[Self] = &[$(Self::$flaw,)+];

            /// The cases that must fail on a store with this flaw.
            pub const fn noticed_by(self) -> &'static [&'static str] {
                match self {
                    $(Self::$flaw => &[$($case),+],)+
                }
            }
        }
    };
}

impl Flaw {
    /// Whether the random histories do what this flaw spoils.
    pub const fn is_played(self) -> bool {
        !matches!(
            self,
            Self::BatchTooLarge
                | Self::NoWaiting
                | Self::SetAsideNotTold
                | Self::EpochsStandStill
                | Self::ProgressNotFenced
                | Self::ProgressEndsEarly
                | Self::DeleteTakesAll
        )
    }
}

pub(super) use flaws;

flaws! { Flaw:
    /// A receipt is the id of its message: any old one ends the current delivery.
    NoFence:
        "settle::a_stale_ack_changes_nothing",
        "settle::a_stale_retry_changes_nothing",
        "settle::a_stale_release_changes_nothing",
        "settle::a_stale_dead_letter_changes_nothing",
        "extend::a_stale_extend_moves_nothing",
        "receive::every_delivery_has_a_receipt_of_its_own";
    /// An ack answers Applied and does nothing.
    AckLost:
        "settle::ack_ends_a_message",
        "settle::an_acked_message_never_returns";
    /// Every delivery says it is the first.
    AttemptNotCounted:
        "attempts::a_crash_charges_the_attempt",
        "attempts::seven_attempts_are_seven_deliveries",
        "attempts::two_vanished_deliveries_make_a_suspect";
    /// A retry is not charged and leaves no record.
    RetryIsRelease:
        "attempts::a_retry_keeps_the_charge",
        "records::a_retry_leaves_its_record_with_the_attempt";
    /// A release is charged.
    ReleaseIsRetry:
        "attempts::a_release_gives_the_attempt_back",
        "release::a_release_may_wait",
        "records::a_release_leaves_no_record";
    /// A dead letter is thrown away.
    DeadLetterIsAck:
        "dead_letters::a_dead_letter_is_in_one_place_only",
        "settle::a_dead_letter_after_the_lease_end_counts_until_redelivery";
    /// A dead letter comes back.
    DeadLetterIsRetry:
        "dead_letters::a_dead_letter_is_never_delivered",
        "groups::a_dead_head_admits_its_successor";
    /// A repeat gets an id of its own.
    IdsIgnored:
        "ids::a_given_id_is_known_while_it_waits",
        "ids::an_id_twice_in_a_batch_is_stored_once",
        "concurrency::of_concurrent_repeats_of_an_id_one_is_stored";
    /// Given ids are forgotten with the ack.
    GivenIsFresh: "ids::a_given_id_is_known_for_its_window_after_the_ack";
    /// Dedup keys are not kept.
    KeysIgnored:
        "dedup::a_repeat_answers_the_first_id_and_stores_nothing",
        "dedup::a_key_is_known_after_the_ack";
    /// Groups are not kept.
    GroupsIgnored:
        "groups::one_member_is_handed_out_at_a_time",
        "groups::a_retried_head_keeps_the_head",
        "concurrency::concurrent_receivers_never_hold_two_of_a_group";
    /// A dead member never holds its group.
    ParkIgnored:
        "parking::a_parked_group_is_held",
        "parking::the_parked_member_redriven_is_the_head";
    /// All messages are in one lane.
    LanesIgnored:
        "lanes::higher_lanes_get_more_turns_and_low_always_some",
        "lanes::a_batch_is_filled_from_all_lanes";
    /// Nothing expires.
    ExpiryIgnored:
        "expiry::an_expired_message_is_dead_before_receive_answers",
        "expiry::expiry_is_tested_when_an_ended_lease_is_redelivered";
    /// Everything is due at once.
    DelayIgnored:
        "enqueue::a_delayed_message_waits_for_its_due_time",
        "groups::delayed_members_join_in_the_order_of_their_due_times",
        "admin::find_shows_each_state";
    /// Retries are due at once.
    BackOffIgnored:
        "settle::a_retry_comes_back_when_it_is_due",
        "groups::a_retried_head_keeps_the_head";
    /// Checkpoints are not kept.
    CheckpointsIgnored:
        "checkpoint::a_checkpoint_replaces_the_one_before",
        "checkpoint::a_checkpoint_survives_a_crash";
    /// A batch is handed out from behind.
    OrderSwapped:
        "receive::first_deliveries_are_in_enqueue_order",
        "receive::what_one_call_stored_is_handed_out_in_its_order",
        "release::a_released_message_keeps_its_place";
    /// One more than asked for is handed out.
    BatchTooLarge: "receive::no_more_than_batch_max_are_handed_out";
    /// Leases are twice as long as asked for.
    LeaseTooLong:
        "receive::the_lease_ends_when_it_says",
        "receive::a_lease_that_ended_brings_the_message_back";
    /// An extend answers Applied and does nothing.
    ExtendIgnored:
        "extend::extend_sets_the_end_to_now_plus_the_lease",
        "extend::extend_after_the_end_counts_until_redelivery";
    /// A pause does nothing.
    PauseIgnored:
        "pause::a_paused_queue_hands_out_nothing",
        "pause::a_pause_tells_who_and_why_and_since_when";
    /// The depth of a queue has no limit.
    DepthIgnored:
        "limits::a_full_queue_refuses_the_whole_call",
        "concurrency::concurrent_producers_do_not_pass_the_depth_limit";
    /// The good ones of a refused batch are stored all the same.
    HalfABatch: "enqueue::one_refused_message_refuses_the_whole_batch";
    /// A receive never waits.
    NoWaiting:
        "wake::an_enqueue_wakes_a_receive",
        "receive::waiting_for_nothing_ends_after_wait_max";
    /// Rows that were set aside are not counted.
    SetAsideNotTold:
        "damage::damaged_rows_do_not_block_those_behind",
        "damage::a_newer_row_is_put_back_for_a_minute_and_counted";
    /// A redrive throws away.
    RedriveIsDiscard:
        "redrive::a_redriven_message_keeps_its_id_and_history",
        "concurrency::concurrent_redrives_bring_back_one_message";
    /// Only the first page of anything is shown.
    PagesCut:
        "admin::peek_shows_every_live_message_once_in_queue_order",
        "dead_letters::pages_show_every_dead_letter_once",
        "export_adopt::pages_of_any_size_export_the_same";
    /// A cancel takes nothing away.
    CancelLost: "admin::cancel_removes_what_nobody_works_on";
    /// Every lease has epoch 1.
    EpochsStandStill:
        "leases::an_epoch_never_comes_twice",
        "leases::an_ended_lease_is_taken_with_a_greater_epoch";
    /// Progress is saved no matter who says so.
    ProgressNotFenced: "progress::a_stale_lease_saves_nothing";
    /// The first page of progress is all there is.
    ProgressEndsEarly: "progress::pages_list_every_value_that_has_not_run_out";
    /// A queue is deleted with what is in it.
    DeleteTakesAll: "deleting::a_queue_with_anything_in_it_stays";
    /// An adopted message is a new one.
    AdoptForgets:
        "export_adopt::an_adopted_message_keeps_everything",
        "export_adopt::an_adopted_dead_letter_is_dead";
}
