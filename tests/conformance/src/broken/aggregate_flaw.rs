//! What can be wrong with a store of aggregates, and who must notice.

use super::flaw::flaws;

flaws! { AggregateFlaw:
    /// The last part of a call is overwritten by what comes next: read, merge, overwrite.
    PartLost:
        "aggregate_parts::parts_of_a_key_are_in_one_epoch",
        "aggregate_races::concurrent_writers_and_closers_lose_and_double_nothing";
    /// A repeat is a part of its own.
    RepeatCounts:
        "aggregate_parts::a_repeat_is_a_duplicate_and_counts_once",
        "aggregate_races::of_concurrent_repeats_one_is_stored";
    /// Each part winds up the time of its epoch in full.
    AgeIsIdle: "aggregate_closing::age_counts_from_the_first_part";
    /// The idle time is that of the first part.
    IdleIsAge: "aggregate_closing::idle_time_counts_from_the_last_part";
    /// What is closed is deleted before its message is stored.
    ClosedIsReleased:
        "aggregate_releasing::nothing_is_gone_before_it_is_finished",
        "aggregate_releasing::it_is_handed_out_again_under_the_same_id";
    /// Every epoch of a key has the same id.
    IdsStandStill: "aggregate_closing::more_parts_than_the_size_in_one_call_are_several_epochs";
    /// New rules hold for an open epoch.
    NewRulesAtOnce: "aggregate_closing::the_rules_of_the_first_part_hold";
    /// Any old receipt finishes an epoch.
    FinishNotFenced: "aggregate_releasing::a_stale_receipt_finishes_nothing";
    /// Ids and keys are forgotten with the close.
    ForgetsAtOnce:
        "aggregate_late::ids_are_known_while_the_epoch_waits_and_for_the_time_after_its_close",
        "aggregate_late::the_key_is_remembered_for_its_time";
    /// Late parts are not known as such.
    LateIgnored:
        "aggregate_late::a_late_part_is_dropped_and_counted",
        "aggregate_late::a_late_part_is_set_aside_for_the_dead_letters";
    /// A verdict on some parts closes all of them.
    VerdictNotCounted:
        "aggregate_predicates::a_verdict_on_fewer_parts_closes_nothing_and_asks_again";
    /// What is put off comes back at once.
    PutOffIgnored: "aggregate_releasing::what_is_put_off_comes_back_when_it_is_time";
    /// A closing part is a part like others.
    ClosingIgnored: "aggregate_closing::a_closing_part_closes_its_epoch";
    /// One part more than the size completes an epoch.
    SizeOffByOne: "aggregate_closing::size_closes_at_once";
    /// Parts come in no order.
    PartsUnordered: "aggregate_parts::parts_are_ordered_by_position_then_by_id";
    /// The first page of parts is all there is.
    PartsCut: "aggregate_parts::parts_come_in_pages_of_any_size";
    /// What a person discards is released.
    DiscardCloses: "aggregate_releasing::a_discarded_epoch_is_gone_and_counted";
}
