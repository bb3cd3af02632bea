//! Clients of the service, and the answers they get.

use std::net::SocketAddr;
use std::ops::Index;

use actix_web::web::Data;
use serde_json::Value;
use skala::access::issue;
use skala::access::store::Session;
use skala::kernel::{Id, UserId};
use skala::web::Node;
use ureq::http::{HeaderMap, Method, Request};

use super::contract;

/// Somebody who talks to the service. Paths are those below `/api/v1`, or begin with it, or are a page's or an
/// operator's outside it, which [`Client::outside`] asks for.
#[derive(Clone)]
pub struct Client {
    node: Data<Node>,
    agent: ureq::Agent,
    address: SocketAddr,
    who: Who,
    base: &'static str,
    headers: Vec<(String, String)>,
}

#[derive(Clone)]
pub(super) enum Who {
    Nobody,
    Bearer(String),
    /// Signed in, and with a token that is renewed in time.
    Person(UserId, Id<Session>),
}

impl Client {
    pub(super) fn new(node: Data<Node>, agent: ureq::Agent, address: SocketAddr, who: Who) -> Self {
        Self { node, agent, address, who, base: "/api/v1", headers: Vec::new() }
    }

    /// The same client, sending this header as well.
    pub fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut with = self.clone();
        with.headers.push((name.to_owned(), value.into()));
        with
    }

    /// The same client, asking for what lies beside the API: `/healthz`, the pages behind links.
    pub fn outside(&self) -> Self {
        Self { base: "", ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None)
    }

    /// What a GET would answer, without its body.
    pub fn head(&self, path: &str) -> Answer {
        self.send(Method::HEAD, path, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(("application/json", body.to_string().into())))
    }

    /// A POST of any bytes.
    pub fn post_raw(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Method::POST, path, Some((content_type, body.into())))
    }

    /// A merge patch; say which version was seen by `with("If-Match", …)`.
    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(("application/merge-patch+json", body.to_string().into())))
    }

    /// A merge patch of what is there now.
    pub fn change(&self, path: &str, body: Value) -> Answer {
        let seen = self.get(path).expect(200).etag();
        self.with("If-Match", seen).patch(path, body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None)
    }

    /// The token that it comes with at this moment.
    pub fn token(&self) -> String {
        self.bearer().unwrap()
    }

    fn bearer(&self) -> Option<String> {
        match &self.who {
            Who::Nobody => None,
            Who::Bearer(token) => Some(token.clone()),
            Who::Person(user, session) => Some(issue(&self.node.seal, *user, *session, self.node.now()).unwrap()),
        }
    }

    /// Sends a request, and checks that the answer is one that the spec promises.
    pub fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let path = if path.starts_with("/api/v1/") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = Request::builder().method(method.clone()).uri(format!("http://{}{path}", self.address));
        if let Some(token) = self.bearer() {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answered = match body {
            None => self.agent.run(request.body(()).unwrap()),
            Some((content_type, bytes)) => {
                self.agent.run(request.header("Content-Type", content_type).body(bytes).unwrap())
            }
        };
        let mut answered = answered.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answered.body_mut().read_to_string().unwrap();
        let answer = Answer {
            asked: format!("{method} {path}"),
            status: answered.status().as_u16(),
            headers: answered.headers().clone(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        };
        contract::check(method.as_str(), path.split('?').next().unwrap_or_default(), &answer);
        answer
    }
}

/// What the service answered.
#[derive(Clone, Debug)]
pub struct Answer {
    asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// The JSON that came; null when none did.
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// Insists on a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}: {}", self.asked, self.status, self.text);
        self
    }

    /// Insists on a problem of this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.body["code"], code, "{} answered: {}", answer.asked, answer.text);
        answer
    }

    /// Insists that the body is unfit (422), with exactly these flaws: pointer and code.
    #[track_caller]
    pub fn unfit(self, flaws: &[(&str, &str)]) -> Self {
        let answer = self.expect(422);
        let found = answer.body["errors"].as_array().cloned().unwrap_or_default();
        let found: Vec<_> =
            found.iter().map(|f| (f["pointer"].as_str().unwrap(), f["code"].as_str().unwrap())).collect();
        assert_eq!(found, flaws, "{} answered: {}", answer.asked, answer.text);
        answer
    }

    /// A header's value; empty when it was not sent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The entity tag.
    #[track_caller]
    pub fn etag(&self) -> String {
        let etag = self.header("ETag");
        assert!(!etag.is_empty(), "{} answered without an ETag", self.asked);
        etag.to_owned()
    }

    /// The id of what was answered.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text_of("id")
    }

    /// A field that holds text.
    #[track_caller]
    pub fn text_of(&self, field: &str) -> String {
        let found = self.body[field].as_str();
        found.unwrap_or_else(|| panic!("{} answered no {field}: {}", self.asked, self.text)).to_owned()
    }

    /// The objects of a stream, a line each.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{} answered {line:?}", self.asked));
        self.text.lines().map(read).collect()
    }

    /// The rows of a list.
    #[track_caller]
    pub fn items(&self) -> Vec<Value> {
        let items = self.body["items"].as_array();
        items.unwrap_or_else(|| panic!("{} answered no list: {}", self.asked, self.text)).clone()
    }

    /// One field of each row.
    #[track_caller]
    pub fn each(&self, field: &str) -> Vec<String> {
        self.items().iter().map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Index<&str> for Answer {
    type Output = Value;
    fn index(&self, field: &str) -> &Value {
        &self.body[field]
    }
}
