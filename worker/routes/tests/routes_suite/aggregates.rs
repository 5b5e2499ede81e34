//! Aggregate steps: messages are collected, and go on as one.

use longshore_routes::Ended;

use crate::refusals::{check, check_steps};
use crate::stage::Stage;

const ORDERS: [&str; 4] = [
    r#"{"customer":"ann","amount":1}"#,
    r#"{"customer":"bob","amount":2}"#,
    r#"{"customer":"ann","amount":40}"#,
    r#"{"customer":"bob","amount":5}"#,
];

fn route(keys: &str) -> String {
    format!(
        "[[route]]\nname = 'r'\nfrom = {{ queue = 'q' }}\n[[route.step]]\n\
         aggregate = {{ by = '{{{{ body.customer }}}}', to = 'out', {keys} }}\n"
    )
}

async fn bodies(stage: &Stage, queue: &str) -> Vec<String> {
    let mut bodies: Vec<_> = stage.waiting(queue).await.into_values().collect();
    bodies.sort();
    bodies
}

#[tokio::test]
async fn orders_of_a_customer_become_one_message() {
    for stage in [Stage::new().await, Stage::sqlite().await] {
        stage.enqueue("q", &ORDERS).await;
        let summary = stage.run(&route("size = 2, fold = 'sum'")).await;
        assert!(matches!(summary.ended, Ended::Idle), "{:?}", summary.ended);
        let wanted = [
            r#"{"amount":41,"customer":"ann"}"#,
            r#"{"amount":7,"customer":"bob"}"#,
        ];
        assert_eq!(bodies(&stage, "out").await, wanted);
    }
}

#[tokio::test]
async fn what_is_released_goes_on_in_a_route_of_its_queue() {
    let stage = Stage::new().await;
    stage.enqueue("q", &ORDERS).await;
    let file = route("size = 2")
        + "[[route]]\nname = 'next'\nfrom = { queue = 'out' }\n[[route.step]]\n\
           file = { path = 'out/{{ headers[\"aggregate-key\"] }}.txt' }\n";
    let summary = stage.run(&file).await;
    assert!(matches!(summary.ended, Ended::Idle), "{:?}", summary.ended);
    let ann = stage.read("out/ann.txt");
    assert_eq!(ann.trim(), format!("[{},{}]", ORDERS[0], ORDERS[2]));
}

#[tokio::test]
async fn a_finite_run_waits_for_the_times_of_open_epochs() {
    let stage = Stage::sqlite().await;
    stage.enqueue("q", &ORDERS[..1]).await;
    let summary = stage.run(&route("idle = '300ms', fold = 'lines'")).await;
    assert!(matches!(summary.ended, Ended::Idle), "{:?}", summary.ended);
    assert_eq!(bodies(&stage, "out").await, [format!("{}\n", ORDERS[0])]);
}

#[tokio::test]
async fn a_finite_run_says_what_nothing_completes() {
    let stage = Stage::new().await;
    stage.enqueue("q", &ORDERS).await;
    let summary = stage.run(&route("size = 3")).await;
    let Ended::Stuck { why } = summary.ended else {
        panic!("{:?}", summary.ended);
    };
    assert!(
        why.contains("the aggregate r collects") && why.contains("open: 2, parts in them: 4"),
        "{why}"
    );
    assert!(why.contains("longshore aggregates close r --all"), "{why}");
}

#[tokio::test]
async fn a_condition_over_the_parts_completes() {
    let stage = Stage::new().await;
    stage.enqueue("q", &ORDERS).await;
    let until = "until = '{{ body | sum(attribute=\"amount\") >= 41 }}', at_most = '1s'";
    let summary = stage.run(&route(until)).await;
    assert!(matches!(summary.ended, Ended::Idle), "{:?}", summary.ended);
    let released = bodies(&stage, "out").await;
    assert_eq!(released.len(), 2, "{released:?}");
}

#[tokio::test]
async fn a_condition_that_fails_leaves_the_other_rules() {
    let stage = Stage::new().await;
    stage.enqueue("q", &ORDERS[..2]).await;
    let until = "until = '{{ body[0].nothing > 1 }}', at_most = '400ms'";
    let summary = stage.run(&route(until)).await;
    assert!(matches!(summary.ended, Ended::Idle), "{:?}", summary.ended);
    assert_eq!(bodies(&stage, "out").await.len(), 2);
}

#[tokio::test]
async fn the_last_part_says_so() {
    let stage = Stage::new().await;
    let parts = [
        r#"{"customer":"ann","last":false}"#,
        r#"{"customer":"ann","last":true}"#,
    ];
    stage.enqueue("q", &parts).await;
    let summary = stage
        .run(&route("closing = '{{ body.last }}', name = 'carts'"))
        .await;
    assert!(matches!(summary.ended, Ended::Idle), "{:?}", summary.ended);
    assert_eq!(bodies(&stage, "out").await.len(), 1);
}

#[tokio::test]
async fn a_message_without_a_key_is_a_dead_letter() {
    for (body, why) in [
        (r#"{"customer":""}"#, "correlation key \"\" is not valid"),
        ("{}", "this message has no body.customer"),
    ] {
        let stage = Stage::new().await;
        stage.enqueue("q", &[body]).await;
        let summary = stage.run(&route("size = 2")).await;
        assert_eq!(summary.dead, 1);
        let (label, error) = stage.only_death("q").await;
        assert_eq!(label, "aggregate.key", "{error}");
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_part_that_no_epoch_could_hold_is_a_dead_letter() {
    let stage = Stage::new().await;
    stage.enqueue("q", &ORDERS[..1]).await;
    let summary = stage.run(&route("size = 2, bytes_max = 10")).await;
    assert_eq!(summary.dead, 1);
    let (label, error) = stage.only_death("q").await;
    assert_eq!(label, "aggregate.refused");
    assert!(error.contains("at most 10 are allowed"), "{error}");
}

#[tokio::test]
async fn late_parts_and_failed_folds_lie_in_the_dead_letters_of_the_aggregate() {
    let stage = Stage::new().await;
    stage.enqueue("q", &ORDERS).await;
    stage
        .enqueue("q", &[r#"{"customer":"ann","amount":3}"#])
        .await;
    let summary = stage.run(&route("size = 2, late = 'dead'")).await;
    assert!(matches!(summary.ended, Ended::Idle), "{:?}", summary.ended);
    let (label, error) = stage.only_death("aggregate.r").await;
    assert_eq!(label, "aggregate.late");
    assert!(error.contains("after its epoch was closed"), "{error}");
    stage
        .enqueue(
            "q",
            &[
                r#"{"customer":"eve"}"#,
                r#"{"customer":"eve","amount":"x"}"#,
            ],
        )
        .await;
    stage.run(&route("size = 2, fold = 'sum'")).await;
    assert_eq!(
        stage.dead("aggregate.r").await.len(),
        1,
        "objects are added field by field"
    );
    stage.enqueue_with("q", "[1]", &[], "message").await;
    let by_header = "[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n[[route.step]]\n\
                     aggregate = { by = 'all', to = 'out', size = 1, fold = 'sum' }\n";
    stage.run(by_header).await;
    assert_eq!(stage.dead("aggregate.r").await.len(), 2);
}

#[test]
fn wrong_aggregates_are_refused_with_their_place() {
    check_steps(&[
        (
            "[[route.step]]\naggregate = { by = 'x', to = 'out' }\n",
            "r.toml:5:13: the aggregate: nothing would ever complete it; name size, bytes, idle, at_most, interval, a predicate or a closing part",
        ),
        (
            "[[route.step]]\naggregate = { to = 'out', size = 2 }\n",
            "r.toml:5:13: an aggregate step needs the key \"by\"",
        ),
        (
            "[[route.step]]\naggregate = { by = 'x', to = 'out', size = 0 }\n",
            "r.toml:5:44: size: 0 is out of range, 1 to 100000 is allowed",
        ),
        (
            "[[route.step]]\naggregate = { by = 'x', to = 'out', size = 20, parts_max = 10 }\n",
            "r.toml:5:13: the aggregate: size is more than parts_max, which is 10",
        ),
        (
            "[[route.step]]\naggregate = { by = 'x', to = 'out', until = 'true' }\n",
            "r.toml:5:45: until says the same of all parts; write a condition such as {{ body | length >= 3 }}",
        ),
        (
            "[[route.step]]\naggregate = { by = 'x', to = 'out', size = 2 }\n[[route.step]]\nlog = { message = 'x' }\n",
            "r.toml:5:13: an aggregate step is the last one: what it collects goes on in its queue; write the other steps into a route from the queue out",
        ),
    ]);
    let two = |name: &str, queue: &str, rest: &str| {
        format!(
            "[[route]]\nname = '{name}'\nfrom = {{ queue = '{queue}' }}\n[[route.step]]\naggregate = {{ by = 'x', to = 'out', size = 2{rest} }}\n"
        )
    };
    let same = two("a", "q1", ", name = 'n'") + &two("b", "q2", ", name = 'n'");
    let taken = two("a", "q1", "") + &two("b", "aggregate.a", "");
    check(&[
        (
            same.as_str(),
            "r.toml:10:13: the route a collects into the aggregate n already, at r.toml:2; give it a name of its own, or forward to one queue and collect there",
        ),
        (
            taken.as_str(),
            "r.toml:7:8: the queue aggregate.a holds the dead letters of an aggregate; no route can consume it",
        ),
    ]);
}
