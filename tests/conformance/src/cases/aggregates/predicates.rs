//! Epochs whose completion workers judge.

use longshore_core::{CompletedBy, Judged, Question, Settled, Verdict};

use crate::Stage;
use crate::case::cases;
use crate::collecting::{TURN_LEASE, orders, part, rules};

cases! { "aggregate_predicates";
    22 each_part_asks_once,
    22 a_yes_closes_the_epoch,
    22 a_no_asks_again_after_the_next_part,
    22 a_verdict_on_fewer_parts_closes_nothing_and_asks_again,
    22 a_failed_predicate_is_asked_no_more,
    22 a_question_that_nobody_answers_is_asked_again,
    22 a_time_closes_what_no_predicate_closed,
    22 a_verdict_on_another_epoch_is_stale,
}

fn asking() -> longshore_core::AggregateRules {
    rules(|rules| {
        rules.predicate = Some("total >= 100".to_owned());
        rules.at_most_ms = Some(600_000);
    })
}

async fn questions(stage: &Stage) -> Vec<Question> {
    let turned = stage.turn().await;
    assert!(turned.closed.is_empty());
    turned.questions
}

async fn question(stage: &Stage) -> Question {
    let mut asked = questions(stage).await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.remove(0)
}

async fn answer(stage: &Stage, question: &Question, judged: Judged) -> Settled {
    let verdict = Verdict {
        key: question.key.clone(),
        epoch: question.epoch,
        parts: question.parts,
        judged,
    };
    let answered = stage.aggregates().answer(orders(), &[verdict]).await;
    answered.expect("answer")[0]
}

async fn each_part_asks_once(stage: Stage) {
    let answered = stage.collect(&asking(), &[part("ann", "1")]).await;
    assert!(answered.is_ready);
    let asked = question(&stage).await;
    assert_eq!((asked.key.as_str(), asked.parts), ("ann", 1));
    assert_eq!(asked.rules.predicate.as_deref(), Some("total >= 100"));
    assert!(questions(&stage).await.is_empty(), "one worker has it");
}

async fn a_yes_closes_the_epoch(stage: Stage) {
    stage.collect(&asking(), &[part("ann", "1")]).await;
    let asked = question(&stage).await;
    assert_eq!(
        answer(&stage, &asked, Judged::Complete).await,
        Settled::Applied
    );
    let closed = stage.closed_one().await;
    assert_eq!(closed.by, CompletedBy::Predicate);
}

async fn a_no_asks_again_after_the_next_part(stage: Stage) {
    stage.collect(&asking(), &[part("ann", "1")]).await;
    let asked = question(&stage).await;
    assert_eq!(
        answer(&stage, &asked, Judged::NotYet).await,
        Settled::Applied
    );
    stage.advance(TURN_LEASE * 2);
    assert!(questions(&stage).await.is_empty());
    stage.collect(&asking(), &[part("ann", "2")]).await;
    assert_eq!(question(&stage).await.parts, 2);
}

async fn a_verdict_on_fewer_parts_closes_nothing_and_asks_again(stage: Stage) {
    for judged in [Judged::Complete, Judged::NotYet] {
        let of = format!("{judged:?}");
        stage.collect(&asking(), &[part(&of, "1")]).await;
        let asked = question(&stage).await;
        stage.collect(&asking(), &[part(&of, "2")]).await;
        let wanted = match judged {
            Judged::Complete => Settled::LeaseLost,
            _ => Settled::Applied,
        };
        assert_eq!(answer(&stage, &asked, judged).await, wanted);
        let asked = question(&stage).await;
        assert_eq!(asked.parts, 2, "{judged:?}");
        assert_eq!(
            answer(&stage, &asked, Judged::NotYet).await,
            Settled::Applied
        );
    }
}

async fn a_failed_predicate_is_asked_no_more(stage: Stage) {
    stage.collect(&asking(), &[part("ann", "1")]).await;
    let asked = question(&stage).await;
    assert_eq!(
        answer(&stage, &asked, Judged::Failed).await,
        Settled::Applied
    );
    stage.collect(&asking(), &[part("ann", "2")]).await;
    assert!(questions(&stage).await.is_empty());
}

async fn a_question_that_nobody_answers_is_asked_again(stage: Stage) {
    stage.collect(&asking(), &[part("ann", "1")]).await;
    question(&stage).await;
    stage.advance(TURN_LEASE);
    assert_eq!(question(&stage).await.parts, 1);
}

async fn a_time_closes_what_no_predicate_closed(stage: Stage) {
    stage.collect(&asking(), &[part("ann", "1")]).await;
    let asked = question(&stage).await;
    stage.advance(std::time::Duration::from_secs(600));
    let closed = stage.closed_one().await;
    assert_eq!(closed.by, CompletedBy::Age);
    assert_eq!(
        answer(&stage, &asked, Judged::Complete).await,
        Settled::LeaseLost
    );
}

async fn a_verdict_on_another_epoch_is_stale(stage: Stage) {
    stage.collect(&asking(), &[part("ann", "1")]).await;
    let old = question(&stage).await;
    assert_eq!(
        answer(&stage, &old, Judged::Complete).await,
        Settled::Applied
    );
    stage.collect(&asking(), &[part("ann", "2")]).await;
    for judged in [Judged::Complete, Judged::NotYet, Judged::Failed] {
        assert_eq!(answer(&stage, &old, judged).await, Settled::LeaseLost);
    }
}
