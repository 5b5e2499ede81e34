//! How histories are made up.

use longshore_core::{Lane, OnExpired};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::operation::{Change, Fate, IdPick, Item, Operation, Step};

/// A history of up to 40 steps.
pub(super) fn history() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..40)
}

fn step() -> impl Strategy<Value = Step> {
    (operation(), any::<bool>()).prop_map(|(operation, second_handle)| Step {
        operation,
        second_handle,
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let picks = || vec(any::<Index>(), 1..4);
    prop_oneof![
        8 => vec(item(), 1..6).prop_map(Operation::Enqueue),
        6 => select(vec![5, 10, 30]).prop_map(|lease| Operation::Receive { lease }),
        5 => (1..4_u32, select(vec![5, 10, 30]))
            .prop_map(|(max, lease)| Operation::ReceiveSome { max, lease }),
        10 => vec((any::<Index>(), fate()), 1..5).prop_map(Operation::Settle),
        2 => (picks(), select(vec![1, 10, 60])).prop_map(|(p, lease)| Operation::Extend(p, lease)),
        7 => select(vec![1, 4, 5, 6, 10, 30, 60, 600, 3600]).prop_map(Operation::Advance),
        2 => picks().prop_map(Operation::Cancel),
        2 => (picks(), select(vec![0, 5, 50])).prop_map(|(p, due)| Operation::Reschedule(p, due)),
        1 => Just(Operation::Purge),
        1 => Just(Operation::Pause),
        2 => Just(Operation::Resume),
        1 => any::<bool>().prop_map(Operation::MarkMoving),
        1 => Just(Operation::MarkMoving(false)),
        4 => picks().prop_map(Operation::Redrive),
        1 => picks().prop_map(Operation::Discard),
        2 => change().prop_map(Operation::Configure),
        1 => Just(Operation::Copy),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let id = prop_oneof![
        2 => Just(IdPick::Fresh),
        3 => Just(IdPick::Given),
        2 => any::<Index>().prop_map(IdPick::Again),
    ];
    let lane = select(vec![Lane::High, Lane::Normal, Lane::Normal, Lane::Low]);
    let delay = prop_oneof![4 => Just(0), 1 => Just(5_u64), 1 => Just(10)];
    let expires = weighted(0.2, select(vec![5, 20, 60]));
    let key = weighted(0.3, (0..3_u8, select(vec![5, 60, 600])));
    (id, weighted(0.6, 0..3_u8), lane, delay, expires, key).prop_map(
        |(id, group, lane, delay, expires, key)| Item {
            id,
            group,
            lane,
            delay,
            expires,
            key,
        },
    )
}

fn fate() -> impl Strategy<Value = Fate> {
    let checkpoint = || weighted(0.3, 0..3_u8);
    let delay = || select(vec![0, 5, 10]);
    prop_oneof![
        4 => Just(Fate::Ack),
        3 => (delay(), checkpoint()).prop_map(|(delay, left)| Fate::Retry(delay, left)),
        3 => (weighted(0.5, delay()), checkpoint())
            .prop_map(|(delay, left)| Fate::Release(delay, left)),
        3 => (any::<bool>(), checkpoint())
            .prop_map(|(park, checkpoint)| Fate::Dead { park, checkpoint }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let on_expired = select(vec![OnExpired::Dead, OnExpired::Discard]);
    (
        weighted(0.5, select(vec![5, 1000])),
        weighted(0.5, on_expired),
        weighted(0.5, select(vec![1, 600])),
        weighted(0.1, Just(30_u64)),
    )
        .prop_map(|(depth_max, on_expired, id_window, expires)| Change {
            depth_max,
            on_expired,
            id_window,
            expires,
        })
}
