//! HTTP steps: a request that carries the message.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use longshore_core::{Failure, Label, Timestamp};
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};

use crate::ConfigError;
use crate::load::read::{Document, Node, shown, shown_span};
use crate::model::mistakes::Mistakes;
use crate::steps::Input;
use crate::steps::client::NotPublic;
use crate::steps::shortage;
use crate::steps::url::{authority, climbs, named_or_public, without_secrets};
use crate::template::{Flavour, Template, has_placeholder};

const TIMEOUT: Duration = Duration::from_secs(30);
const RESPONSE_MAX: usize = 1024 * 1024;
/// So much of a refusal goes into the failure.
const REFUSAL_SHOWN: usize = 256;
/// So much of a URL, in characters.
const URL_SHOWN: usize = 200;

/// Makes a request: its status says what becomes of the message.
#[derive(Debug)]
pub(crate) struct HttpStep {
    method: Method,
    url: Template,
    host_is_literal: bool,
    headers: Vec<(HeaderName, Template)>,
    body: Sent,
    keeps_response: bool,
    response_max: usize,
    timeout: Duration,
}

#[derive(Debug)]
enum Sent {
    Nothing,
    CurrentBody,
    Text(Template),
}

const METHODS: &[(&str, Method)] = &[
    ("get", Method::GET),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

impl HttpStep {
    pub(super) fn of(document: &Document, node: &Node) -> Result<Self, Mistakes> {
        let named: Vec<_> = METHODS
            .iter()
            .filter(|(name, _)| node.get(name).is_some())
            .collect();
        let (name, method) = match named[..] {
            [(name, method)] => (name, method.clone()),
            [] => {
                let message = "the http step has no URL; write get, post, put, patch or delete = \"https://…\"";
                return Err(document.error(&node.span, message).into());
            }
            [(first, _), (second, _), ..] => {
                let message =
                    format!("an http step makes one request, here are {first} and {second}");
                return Err(document.error(node.key_span(second), message).into());
            }
        };
        let mut mistakes = Mistakes::default();
        let headers = headers(document, node, &mut mistakes);
        let body = match node.get("body") {
            Some(body) => mistakes
                .keep(Template::of(document, body, Flavour::Plain))
                .map_or(Sent::Nothing, Sent::Text),
            None if matches!(*name, "get" | "delete") => Sent::Nothing,
            None => Sent::CurrentBody,
        };
        let written = node.get(name).unwrap_or(node);
        let url = mistakes.keep(url(document, written));
        let Some((url, host_is_literal)) = url else {
            return Err(mistakes);
        };
        mistakes.none()?;
        Ok(Self {
            method,
            url,
            host_is_literal,
            headers,
            body,
            keeps_response: node.text("response") == Some("body"),
            response_max: node
                .whole("response_max")
                .map_or(RESPONSE_MAX, |max| max as usize),
            timeout: node.duration("timeout").unwrap_or(TIMEOUT),
        })
    }

    /// How long it may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) async fn run(&self, input: &Input<'_>) -> Result<Option<Bytes>, Failure> {
        let url = self.url.render(&input.data)?;
        let tried = self.tried(&url);
        let request = self.request(input, &url, &tried)?;
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.broken(&tried, &error))?;
        let status = answer.status();
        if !status.is_success() {
            let now = input.job.connection.clock().now();
            return Err(refused(&tried, answer, now).await);
        }
        if !self.keeps_response {
            return Ok(None);
        }
        self.read(&tried, answer).await.map(Some)
    }

    fn request(
        &self,
        input: &Input<'_>,
        url: &str,
        tried: &str,
    ) -> Result<RequestBuilder, Failure> {
        if !self.url.is_literal() && climbs(url) {
            let what = "has \".\" or \"..\" as a part of its path once its values are filled in, which would lead to another path than the one written";
            return Err(failure(tried, what, "http.url", true));
        }
        let url = Url::parse(url).map_err(|_| {
            let what = "has no valid URL once its values are filled in: in a host a value may hold letters, digits, dots and hyphens, and nothing that needs an encoding (a port has a template of its own)";
            failure(tried, what, "http.url", true)
        })?;
        if !self.host_is_literal && !named_or_public(&url) {
            return Err(failure(
                tried,
                &format!("is refused: {NotPublic}"),
                "http.address",
                true,
            ));
        }
        let client = input.services.clients.get(self.host_is_literal);
        let client =
            client.ok_or_else(|| failure(tried, "has no client", "http.connect", false))?;
        let mut request = client
            .request(self.method.clone(), url)
            .timeout(self.timeout);
        for (name, value) in &self.headers {
            let value = value.render(&input.data)?;
            let value = HeaderValue::from_str(&value).map_err(|_| {
                let what = format!("has a value for the header {name} that no header can hold");
                failure(tried, &what, "template", true)
            })?;
            request = request.header(name, value);
        }
        Ok(match &self.body {
            Sent::Nothing => request,
            Sent::CurrentBody => request.body(input.body.clone()),
            Sent::Text(text) => request.body(text.render(&input.data)?),
        })
    }

    /// The request in words: with the URL that was tried, or as it was written where values of
    /// variables, which may be secrets, are in it.
    fn tried(&self, url: &str) -> String {
        if self.url.source() != self.url.written() {
            return self.to_string();
        }
        let shown: String = without_secrets(url).chars().take(URL_SHOWN).collect();
        format!("{} {shown}", self.method)
    }

    /// No answer, or half of one.
    fn broken(&self, tried: &str, error: &reqwest::Error) -> Failure {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            if error.is::<NotPublic>() {
                return failure(
                    tried,
                    &format!("is refused: {NotPublic}"),
                    "http.address",
                    true,
                );
            }
            let io = error.downcast_ref::<std::io::Error>();
            if let Some(short) = io.and_then(|error| shortage::of_host(error, tried)) {
                return short;
            }
            causes.push(error.to_string());
            cause = error.source();
        }
        if error.is_timeout() && !error.is_connect() {
            let what = format!("was not done after {}", shown_span(self.timeout));
            return failure(tried, &what, "http.timeout", false);
        }
        let reason = causes
            .last()
            .map_or("the connection broke off", String::as_str);
        failure(tried, &format!("failed: {reason}"), "http.connect", false)
    }

    async fn read(&self, tried: &str, mut answer: Response) -> Result<Bytes, Failure> {
        let mut body = BytesMut::new();
        while let Some(part) = answer
            .chunk()
            .await
            .map_err(|error| self.broken(tried, &error))?
        {
            if body.len() + part.len() > self.response_max {
                let what = format!("was answered with more than {} bytes", self.response_max);
                return Err(failure(tried, &what, "http.response", true));
            }
            body.extend_from_slice(&part);
        }
        Ok(body.freeze())
    }
}

/// A refusal of the server.
async fn refused(tried: &str, answer: Response, now: Timestamp) -> Failure {
    let status = answer.status();
    let wait = retry_after(answer.headers().get(RETRY_AFTER), now);
    let said = beginning(answer).await;
    let mut what = format!("was answered with {status}");
    if !said.is_empty() {
        what.push_str(": ");
        what.push_str(&said);
    }
    let label = format!("http.{}", status.as_u16());
    let failed = failure(tried, &what, &label, !may_pass(status));
    match wait {
        Some(wait) => failed.retry_after(wait),
        None => failed,
    }
}

fn failure(tried: &str, what: &str, label: &str, permanent: bool) -> Failure {
    let message = format!("{tried} {what}");
    let failure = if permanent {
        Failure::permanent(message)
    } else {
        Failure::retryable(message)
    };
    failure.with_label(Label::lossy(label))
}

/// Whether the same request may be answered better later.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// The URL, and whether its host is written out.
fn url(document: &Document, written: &Node) -> Result<(Template, bool), ConfigError> {
    let url = Template::of(document, written, Flavour::Url)?;
    let authority =
        authority(url.source()).map_err(|reason| document.error(&written.span, reason))?;
    let host_is_literal = !has_placeholder(authority);
    if url.is_literal() && Url::parse(url.source()).is_err() {
        let message = format!("{} is not a URL", shown(url.written()));
        return Err(document.error(&written.span, message));
    }
    Ok((url, host_is_literal))
}

fn headers(
    document: &Document,
    node: &Node,
    mistakes: &mut Mistakes,
) -> Vec<(HeaderName, Template)> {
    let mut headers = Vec::new();
    for (name, span, value) in node.get("headers").map(Node::entries).unwrap_or_default() {
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            document.error(span, format!("{} is not the name of a header", shown(name)))
        });
        let value = Template::of(document, value, Flavour::Plain);
        let (header, value) = (mistakes.keep(header), mistakes.keep(value));
        headers.extend(header.zip(value));
    }
    headers
}

/// Seconds, or a date.
fn retry_after(value: Option<&HeaderValue>, now: Timestamp) -> Option<Duration> {
    let text = value?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let at = Timestamp::from_millis(date.timestamp().as_millisecond());
    Some(at.since(now))
}

/// The first words of a refusal, for people.
async fn beginning(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < REFUSAL_SHOWN {
        match answer.chunk().await {
            Ok(Some(part)) => bytes.extend_from_slice(&part),
            _ => break,
        }
    }
    bytes.truncate(REFUSAL_SHOWN);
    let text = String::from_utf8_lossy(&bytes);
    text.trim().chars().flat_map(char::escape_debug).collect()
}

/// `PUT https://host/{{ id }}`
impl fmt::Display for HttpStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.written();
        write!(f, "{} {}", self.method, without_secrets(url))
    }
}

#[cfg(test)]
mod tests;
