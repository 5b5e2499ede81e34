//! What http steps send and make of the answer.

use std::time::Duration;

use crate::http_server::{Server, answer};
use crate::stage::Stage;
use crate::steps::route;

#[tokio::test]
async fn http_carries_the_body_and_its_response_becomes_the_body() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("200 OK", "", "answered")]).await;
    stage
        .enqueue_with("q", "payload", &[("name", "a b/c?ä")], "message")
        .await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ post = 'http://{}/in/{{{{ headers.name }}}}?k=v', headers = {{ X-Kind = '{{{{ kind }}}}' }}, response = 'body', timeout = '10s' }}\n\
         [[route.step]]\nfile = {{ path = 'out.txt' }}\n",
        server.address
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead), (1, 0));
    assert_eq!(stage.read("out.txt"), "answered\n");
    let request = &server.requests()[0];
    assert!(
        request.starts_with("POST /in/a%20b%2Fc%3F%C3%A4?k=v HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("x-kind: message\r\n") && request.ends_with("\r\n\r\npayload"),
        "{request}"
    );
}

#[tokio::test]
async fn http_refusals_are_labelled_and_retry_after_is_honoured() {
    let stage = Stage::new().await;
    let busy = answer("503 Service Unavailable", "retry-after: 1\r\n", "later");
    let server = Server::answering(&[&busy, &answer("204 No Content", "", "")]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ put = 'http://{}/{{{{ id }}}}' }}\n",
        server.address
    ));
    let started = std::time::Instant::now();
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.retried), (1, 1));
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "it waited as it was told to"
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn other_refusals_of_the_client_are_permanent() {
    let stage = Stage::new().await;
    let server =
        Server::answering(&[&answer("422 Unprocessable Entity", "", "no such thing\n")]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ delete = 'http://{}/x?token=secret' }}\n",
        server.address
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.dead, summary.retried), (1, 0));
    let expected = format!(
        "DELETE http://{}/x was answered with 422 Unprocessable Entity: no such thing",
        server.address
    );
    assert_eq!(
        stage.only_death("q").await,
        ("http.422".to_owned(), expected)
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let stage = Stage::new().await;
    let target = Server::answering(&[&answer("200 OK", "", "")]).await;
    let location = format!("location: http://{}/\r\n", target.address);
    let server = Server::answering(&[&answer("302 Found", &location, "")]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{}/' }}\n",
        server.address
    ));
    assert_eq!(stage.run(&file).await.dead, 1);
    assert_eq!(stage.only_death("q").await.0, "http.302");
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_host_that_a_message_names_must_be_public() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("200 OK", "", "")]).await;
    let port = server.address.port();
    stage
        .enqueue(
            "q",
            &[
                "127.0.0.1",
                "localhost",
                "2130706433",
                "0x7f.1",
                "[::ffff:127.0.0.1]",
            ],
        )
        .await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{{{{ body }}}}:{port}/' }}\n"
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead, summary.retried), (0, 5, 0));
    let labels: std::collections::BTreeSet<_> = stage
        .dead("q")
        .await
        .iter()
        .map(|dead| dead.history.last().unwrap().record.label.to_string())
        .collect();
    // Brackets are encoded, which leaves no valid host.
    assert_eq!(
        labels.into_iter().collect::<Vec<_>>(),
        ["http.address", "http.url"]
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn silence_and_refused_connections_have_labels_of_their_own() {
    let stage = Stage::new().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    stage.enqueue("a", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{address}/', timeout = '200ms' }}\n"
    ))
    .replace("'q'", "'a'")
    .replace("redeliveries = 2", "redeliveries = 0");
    stage.run(&file).await;
    assert_eq!(
        stage.only_death("a").await,
        (
            "http.timeout".to_owned(),
            format!("GET http://{address}/ was not done after 200ms")
        )
    );
    drop(silent);
    stage.enqueue("b", &["x"]).await;
    stage.run(&file.replace("'a'", "'b'")).await;
    assert_eq!(stage.only_death("b").await.0, "http.connect");
}

#[tokio::test]
async fn a_failure_names_the_url_that_was_tried() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("404 Not Found", "", "")]).await;
    stage.enqueue("q", &["a b"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://u:p@{}/x/{{{{ body }}}}?{{{{ body }}}}' }}\n",
        server.address
    ));
    stage.run(&file).await;
    let (_, error) = stage.only_death("q").await;
    let url = format!("GET http://***@{}/x/a%20b was answered", server.address);
    assert!(error.starts_with(&url), "{error}");
    stage.enqueue("h", &["host:80"]).await;
    let file = route("[[route.step]]\nhttp = { get = 'http://{{ body }}/x' }\n");
    stage.run(&file.replace("'q'", "'h'")).await;
    let (label, error) = stage.only_death("h").await;
    assert_eq!(label, "http.url");
    let said = "GET http://host%3A80/x has no valid URL once its values are filled in";
    assert!(error.starts_with(said), "{error}");
}

#[tokio::test]
async fn a_response_over_its_limit_is_refused() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("200 OK", "", &"x".repeat(5000))]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{}/', response = 'body', response_max = 4096 }}\n",
        server.address
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.dead, summary.retried), (1, 0));
    assert_eq!(stage.only_death("q").await.0, "http.response");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_a_failed_connection() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("200 OK", "", "")]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'https://{}/', timeout = '2s' }}\n",
        server.address
    ))
    .replace("redeliveries = 2", "redeliveries = 0");
    assert_eq!(stage.run(&file).await.dead, 1);
    let (label, error) = stage.only_death("q").await;
    assert!(
        ["http.connect", "http.timeout"].contains(&label.as_str()),
        "{label}: {error}"
    );
}

#[tokio::test]
async fn values_of_variables_never_show_up() {
    const SECRET: &str = "hunter2-secret";
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("403 Forbidden", "", "no")]).await;
    stage.enqueue("a", &["{}"]).await;
    stage.enqueue("b", &["{}"]).await;
    let text = format!(
        "[[route]]\nname = 'a'\nfrom = {{ queue = 'a' }}\n\
         [[route.step]]\nhttp = {{ get = 'http://u:${{TOKEN}}@{}/${{TOKEN}}/{{{{ id }}}}?t=${{TOKEN}}', headers = {{ Authorization = 'Bearer ${{TOKEN}}' }} }}\n\
         [[route]]\nname = 'b'\nfrom = {{ queue = 'b' }}\n\
         [[route.step]]\nexec = {{ command = ['true', '${{TOKEN}}{{{{ body.none }}}}'], values_in_arguments = true }}\n",
        server.address
    );
    let path = stage.write("secret.toml", text);
    let env = |name: &str| (name == "TOKEN").then(|| SECRET.to_owned());
    let set = longshore_routes::load(&[path], &env).unwrap();
    let shown = format!("{set:?} {} {:?}", set.graph(), set.findings());
    assert!(!shown.contains(SECRET), "{shown}");
    let runner = longshore_routes::Runner::new(set, stage.connection.clone()).until_idle(true);
    let summary = crate::stage::finish(runner.prepare().await.unwrap()).await;
    assert_eq!(summary.dead, 2);
    assert!(server.requests()[0].contains(&format!("authorization: Bearer {SECRET}")));
    for queue in ["a", "b"] {
        let (label, error) = stage.only_death(queue).await;
        assert!(!error.contains(SECRET), "{label}: {error}");
    }
}

#[tokio::test]
async fn a_value_cannot_climb_in_the_path() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("204 No Content", "", "")]).await;
    for value in ["..", ".", "ok"] {
        stage
            .enqueue_with("q", value, &[("part", value)], "m")
            .await;
    }
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ delete = 'http://{}/users/{{{{ headers.part }}}}/sessions' }}\n",
        server.address
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead), (1, 2));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].starts_with("DELETE /users/ok/sessions "),
        "{requests:?}"
    );
}
