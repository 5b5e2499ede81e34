//! Priority lanes.

use std::collections::HashMap;

use longshore_core::{Lane, NewMessage};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages};
use crate::stage::{bodies, count};

cases! { "lanes";
    7 higher_lanes_get_more_turns_and_low_always_some,
    7 low_moves_within_sixteen_receives_of_a_full_high_lane,
    7 shares_are_of_messages_however_many_a_receive_takes,
    7 shares_hold_over_several_calls_and_every_part_of_a_queue_advances,
    7 within_a_lane_the_enqueue_order_holds,
    7 a_lane_on_its_own_is_served_at_once,
    7 a_batch_is_filled_from_all_lanes,
    7 a_released_message_keeps_its_lane,
}

fn many(lane: Lane, number: usize) -> Vec<NewMessage> {
    let body = |index| format!("{}{index:03}", lane.as_str());
    (0..number)
        .map(|index| message(body(index)).lane(lane))
        .collect()
}

/// With all lanes full, high gets the most turns, normal fewer, low some.
async fn higher_lanes_get_more_turns_and_low_always_some(stage: Stage) {
    for lane in [Lane::Low, Lane::Normal, Lane::High] {
        stage.put(&many(lane, 40)).await;
    }
    let mut turns: HashMap<Lane, u32> = HashMap::new();
    for _ in 0..32 {
        let taken = stage.take_one().await;
        *turns.entry(taken.message.lane).or_default() += 1;
    }
    let [high, normal, low] = Lane::ALL.map(|lane| turns.get(&lane).copied().unwrap_or(0));
    assert!(high > normal && normal > low && low > 0, "{turns:?}");
}

/// A constant load of high ones does not starve a low one.
async fn low_moves_within_sixteen_receives_of_a_full_high_lane(stage: Stage) {
    stage.put(&[message("low").lane(Lane::Low)]).await;
    stage.put(&many(Lane::High, 40)).await;
    let mut seen = Vec::new();
    for _ in 0..16 {
        seen.push(stage.take_one().await.message.lane);
    }
    assert!(seen.contains(&Lane::Low), "{seen:?}");
    assert_eq!(seen[0], Lane::High);
}

/// A consumer of batches sees a low one as soon as one that takes them singly.
async fn shares_are_of_messages_however_many_a_receive_takes(stage: Stage) {
    for max in [1, 5, 16, 40] {
        for lane in [Lane::Low, Lane::Normal, Lane::High] {
            stage.put(&many(lane, 200)).await;
        }
        let mut seen = [0_usize; 3];
        while seen.iter().sum::<usize>() < 160 {
            for one in stage.take(max).await {
                seen[usize::from(one.message.lane.number())] += 1;
            }
        }
        let total: usize = seen.iter().sum();
        for (lane, share) in [(0, 11), (1, 4), (2, 1)] {
            let off = (seen[lane] * 16).abs_diff(total * share);
            assert!(off * 10 <= total * 16, "{max} at a time: {seen:?}");
        }
        assert!(seen[2] > 0, "{max} at a time: {seen:?}");
        stage.purge(1000).await;
    }
}

/// What several calls stored lies in several shards or partitions: the lanes of all are one.
async fn shares_hold_over_several_calls_and_every_part_of_a_queue_advances(stage: Stage) {
    for _ in 0..12 {
        for lane in [Lane::Low, Lane::Normal, Lane::High] {
            let each = |mut new: NewMessage| {
                new.id = crate::draft::given("x").id;
                new
            };
            let batch: Vec<_> = many(lane, 20).into_iter().map(each).collect();
            stage.put(&batch).await;
        }
    }
    let mut seen = [0_usize; 3];
    while seen.iter().sum::<usize>() < 192 {
        for one in stage.take(4).await {
            seen[usize::from(one.message.lane.number())] += 1;
        }
    }
    let total: usize = seen.iter().sum();
    for (lane, share) in [(0, 11), (1, 4), (2, 1)] {
        let off = (seen[lane] * 16).abs_diff(total * share);
        assert!(off * 10 <= total * 16, "{seen:?}");
    }
}

/// Weighted turns choose the lane, never the order inside it.
async fn within_a_lane_the_enqueue_order_holds(stage: Stage) {
    let high = many(Lane::High, 10);
    let normal = many(Lane::Normal, 10);
    for (high, normal) in high.into_iter().zip(normal) {
        stage.put(&[normal, high]).await;
    }
    let mut taken = Vec::new();
    while taken.len() < 20 {
        taken.extend(bodies(&stage.take(3).await));
    }
    for lane in [Lane::High, Lane::Normal] {
        let mine = taken.iter().filter(|body| body.starts_with(lane.as_str()));
        assert!(mine.is_sorted(), "{taken:?}");
    }
}

/// A low message alone waits for nobody's turn.
async fn a_lane_on_its_own_is_served_at_once(stage: Stage) {
    for lane in [Lane::Low, Lane::Normal, Lane::High] {
        stage.put(&[message("a").lane(lane)]).await;
        let taken = stage.take_one().await;
        assert_eq!(taken.message.lane, lane);
        stage.ack(&taken).await;
    }
}

/// A receive with room left goes on with the next lane.
async fn a_batch_is_filled_from_all_lanes(stage: Stage) {
    stage.put(&[message("low").lane(Lane::Low)]).await;
    stage.put(&messages(["normal"])).await;
    stage.put(&[message("high").lane(Lane::High)]).await;
    assert_eq!(bodies(&stage.take(9).await), ["high", "normal", "low"]);
}

/// A high message that comes back is still a high one.
async fn a_released_message_keeps_its_lane(stage: Stage) {
    stage.put(&messages(["normal"])).await;
    stage.put(&[message("high").lane(Lane::High)]).await;
    let first = stage.take_one().await;
    assert_eq!(bodies(std::slice::from_ref(&first)), ["high"]);
    stage.release(&first).await;
    let page = stage.store.admin.peek(&stage.queue, None, count(9)).await;
    let lanes = page.expect("peek").items;
    assert_eq!(lanes.len(), 2);
    assert_eq!(bodies(&stage.take(1).await), ["high"]);
}
