//! Settings of a queue, kept in the store.

use longshore_core::{OnExpired, OnGroupDead, QueueSettings, SettingsChange, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::draft::messages;
use crate::stage::refused;

cases! { "settings";
    13 a_queue_that_does_not_exist_has_the_defaults,
    13 configure_makes_the_queue,
    12 every_setting_is_kept_and_seen_by_another_handle,
    12 a_change_leaves_what_it_does_not_name,
    12 a_change_by_another_author_is_told,
    12 an_expiry_of_zero_is_refused,
    12 stats_show_the_settings,
}

fn change(author: &str) -> SettingsChange {
    SettingsChange {
        author: author.to_owned(),
        ..SettingsChange::default()
    }
}

/// Asking for settings makes no queue.
async fn a_queue_that_does_not_exist_has_the_defaults(stage: Stage) {
    let settings = stage.store.admin.settings(&stage.queue).await;
    assert_eq!(settings.expect("settings"), QueueSettings::default());
    assert!(stage.stats_of(&stage.queue).await.is_none());
}

/// A queue exists from its first configure.
async fn configure_makes_the_queue(stage: Stage) {
    stage.configure(change("a.toml")).await;
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
}

/// All of them, in any process.
async fn every_setting_is_kept_and_seen_by_another_handle(stage: Stage) {
    let all = SettingsChange {
        author: "a.toml".to_owned(),
        expires_ms: Some(86_400_000),
        body_max: Some(65_536),
        depth_max: Some(1_000_000),
        on_group_dead: Some(OnGroupDead::Park),
        on_expired: Some(OnExpired::Discard),
        id_window_ms: Some(7_200_000),
        dead_keep_ms: Some(7_776_000_000),
    };
    let configured = stage.store.admin.configure(&stage.queue, &all).await;
    let configured = configured.expect("configure");
    assert!(configured.overridden.is_empty());
    let other = stage.subject.reopen().await;
    let kept = other.admin.settings(&stage.queue).await.expect("settings");
    assert_eq!(kept, configured.settings);
    assert_eq!(kept.expires_ms, all.expires_ms);
    assert_eq!(kept.body_max, all.body_max);
    assert_eq!(kept.depth_max, all.depth_max);
    assert_eq!(kept.on_group_dead, all.on_group_dead);
    assert_eq!(kept.on_expired, all.on_expired);
    assert_eq!(kept.id_window_ms, all.id_window_ms);
    assert_eq!(kept.dead_keep_ms, all.dead_keep_ms);
}

/// `None` leaves a setting as it is.
async fn a_change_leaves_what_it_does_not_name(stage: Stage) {
    stage
        .configure(SettingsChange {
            depth_max: Some(5),
            ..change("a.toml")
        })
        .await;
    stage
        .configure(SettingsChange {
            body_max: Some(9),
            ..change("b.toml")
        })
        .await;
    let kept = stage.stats().await.settings;
    assert_eq!((kept.depth_max, kept.body_max), (Some(5), Some(9)));
}

/// The last writer wins, and is told whose value it replaced.
async fn a_change_by_another_author_is_told(stage: Stage) {
    let set = |author: &str, depth| SettingsChange {
        depth_max: Some(depth),
        ..change(author)
    };
    stage.configure(set("a.toml", 5)).await;
    let other = stage.subject.reopen().await;
    let answer = other.admin.configure(&stage.queue, &set("b.toml", 6)).await;
    let told = answer.expect("configure");
    assert_eq!(told.settings.depth_max, Some(6));
    assert_eq!(told.overridden.len(), 1);
    let one = &told.overridden[0];
    assert_eq!((one.key, one.before.as_str()), ("depth_max", "5"));
    assert_eq!((one.author.as_str(), one.now.as_str()), ("a.toml", "6"));
    let again = other.admin.configure(&stage.queue, &set("b.toml", 7)).await;
    assert!(again.expect("configure").overridden.is_empty());
}

/// A queue whose messages are all born dead is a mistake.
async fn an_expiry_of_zero_is_refused(stage: Stage) {
    let zero = SettingsChange {
        expires_ms: Some(0),
        ..change("a.toml")
    };
    let answer = stage.store.admin.configure(&stage.queue, &zero).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::InvalidInput);
}

/// Settings and numbers come together.
async fn stats_show_the_settings(stage: Stage) {
    stage.put(&messages(["a"])).await;
    assert_eq!(stage.stats().await.settings, QueueSettings::default());
    stage
        .configure(SettingsChange {
            depth_max: Some(5),
            ..change("a.toml")
        })
        .await;
    assert_eq!(stage.stats().await.settings.depth_max, Some(5));
}
