//! From a request to whoever sent it.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};

use super::store::Session;
use super::{Caller, store, token};
use crate::db::DbError;
use crate::kernel::{Id, Instant, Language, Network, digest};
use crate::web::frame::Asker;
use crate::web::{Node, Problem, frame};

/// How every API key begins.
pub(crate) const KEY_PREFIX: &str = "skala_";

/// What a handler knows of the request before it looks at the body: the node, the caller, the language, the moment.
#[derive(Clone)]
pub struct Context {
    pub node: web::Data<Node>,
    pub caller: Caller,
    /// The session that the request came with; none for API keys and strangers.
    pub session: Option<Id<Session>>,
    pub language: Language,
    /// One moment for the whole request.
    pub now: Instant,
    /// Where it comes from; none for the machine itself, which is a script of the operator or a proxy that nobody declared.
    pub network: Option<Network>,
}

impl Deref for Context {
    type Target = Node;
    fn deref(&self) -> &Node {
        &self.node
    }
}

impl FromRequest for Context {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let node = request.app_data::<web::Data<Node>>().cloned();
        let language = frame::language(request);
        let credentials = bearer(request).map(str::to_owned);
        let anonymous = request.headers().get(AUTHORIZATION).is_none();
        let client = node.as_ref().and_then(|node| frame::client_address(node, request));
        let network = client.filter(|address| !address.to_canonical().is_loopback()).map(Network::of);
        let asker = request.extensions().get::<Asker>().cloned().unwrap_or_default();
        Box::pin(async move {
            let node = node.ok_or_else(|| Problem::internal(&"no node"))?;
            let now = node.now();
            let (caller, session) = match credentials {
                None if anonymous => (Caller::Anonymous, None),
                None => return Err(Problem::unauthorized()),
                Some(key) if key.starts_with(KEY_PREFIX) => (by_key(&node, &key, now).await?, None),
                Some(jwt) => {
                    let session = token::read(&node.seal, &jwt, now).ok_or_else(Problem::unauthorized)?.session_id;
                    let found = node.db.read(move |connection| store::person_by_session(connection, session));
                    let person = found.await.map_err(|error: DbError| Problem::from(error))?;
                    (Caller::Person(person.ok_or_else(Problem::unauthorized)?), Some(session))
                }
            };
            if let Caller::Person(person) = &caller {
                asker.0.set(person.user_id).ok();
            }
            Ok(Self { node, caller, session, language, now, network })
        })
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credentials.trim())
}

async fn by_key(node: &Node, key: &str, now: Instant) -> Result<Caller, Problem> {
    let hash = digest(key.as_bytes());
    let found = node.db.read(move |connection| store::person_by_key(connection, &hash, now)).await?;
    let (person, stale) = found.ok_or_else(Problem::unauthorized)?;
    if let Some(id) = stale {
        node.db.write(move |tx| store::touch_key(tx, id, now)).await.map_err(|error: DbError| Problem::from(error))?;
    }
    Ok(Caller::Person(person))
}

/// Who asks, as one word that stays the same when a token is renewed: what idempotency keys belong to.
#[must_use]
pub fn principal(node: &Node, request: &HttpRequest) -> String {
    match bearer(request) {
        Some(key) if key.starts_with(KEY_PREFIX) => digest(key.as_bytes()),
        Some(jwt) => token::read(&node.seal, jwt, node.now())
            .map_or_else(|| "nobody".to_owned(), |bearer| bearer.user_id.to_string()),
        None => frame::client_address(node, request).map_or_else(|| "nobody".to_owned(), |address| address.to_string()),
    }
}
