//! Signing in and sessions over HTTP.

use actix_web::http::StatusCode;
use actix_web::{delete, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::signed_in;
use crate::access::store::{self as people, Session};
use crate::access::{ACCESS_LIFETIME, Context};
use crate::account::actions::{self, Tokens};
use crate::account::origin::Origin;
use crate::kernel::{Fitting, Flaws, Id};
use crate::outbox::{Fact, Subject, record};
use crate::web::{Body, PathId, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(sign_in)
        .service(refresh_token)
        .service(sign_out)
        .service(list_sessions)
        .service(end_session)
        .service(end_other_sessions);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "mette@odense.example", "password": "en gul cykel i regnvejr"}))]
struct Credentials {
    email: String,
    password: String,
}
impl Fitting for Credentials {
    fn fit(&mut self, _: &mut Flaws) {}
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "Yb1W…"}))]
struct RefreshBody {
    refresh_token: String,
}
impl Fitting for RefreshBody {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"access_token": "eyJhbGciOiJIUzI1NiJ9…", "refresh_token": "Yb1W…", "token_type": "Bearer", "expires_in": 900}))]
struct TokenPair {
    /// Good for `expires_in` seconds.
    access_token: String,
    /// Good once, within 30 days.
    refresh_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

fn pair(tokens: Tokens) -> Reply<TokenPair> {
    let Tokens { access, refresh } = tokens;
    let expires_in = ACCESS_LIFETIME.num_seconds();
    Reply::ok(TokenPair { access_token: access, refresh_token: refresh, token_type: "Bearer", expires_in }).secret()
}

/// Sign in with address and password.
#[utoipa::path(tag = "sign-in", security(()), request_body = Credentials, responses((status = 200, body = TokenPair), (status = 401, description = "They do not belong together."), (status = 429, description = "Too many tries; wait for Retry-After seconds.")))]
#[post("/auth/token")]
async fn sign_in(context: Context, origin: Origin, body: Body<Credentials>) -> Result<Reply<TokenPair>, Problem> {
    let Credentials { email, password } = body.0.into_inner();
    actions::sign_in(&context, context.now, origin, &email, password).await.map(pair)
}

/// Exchange a refresh token for a new pair; the old one is spent, and using it again ends the session.
#[utoipa::path(tag = "sign-in", security(()), request_body = RefreshBody, responses((status = 200, body = TokenPair), (status = 401, description = "It is unknown, expired or spent.")))]
#[post("/auth/refresh")]
async fn refresh_token(context: Context, origin: Origin, body: Body<RefreshBody>) -> Result<Reply<TokenPair>, Problem> {
    let RefreshBody { refresh_token } = body.0.into_inner();
    actions::refresh(&context, context.now, origin, refresh_token).await.map(pair)
}

/// Sign out: ends the session of this refresh token.
#[utoipa::path(tag = "sign-in", security(()), request_body = RefreshBody, responses((status = 204, description = "Signed out.")))]
#[post("/auth/logout")]
async fn sign_out(context: Context, body: Body<RefreshBody>) -> Result<Reply<()>, Problem> {
    actions::sign_out(&context, context.now, body.0.into_inner().refresh_token).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// A session: where somebody is signed in.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "created_at": "2026-11-22T08:00:00Z",
    "last_used_at": "2026-11-22T09:15:00Z", "expires_at": "2026-12-22T09:15:00Z", "device": "Firefox, Linux",
    "network": "192.0.2.0/24", "current": true}))]
struct SessionView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Session>,
    created_at: DateTime<Utc>,
    /// To a quarter of an hour: when its tokens were renewed last.
    last_used_at: DateTime<Utc>,
    /// When it ends by itself unless it is used.
    expires_at: DateTime<Utc>,
    /// Browser and system, or the program; empty when it did not say.
    device: String,
    /// Without its last part.
    network: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// Where the caller is signed in.
#[derive(Serialize, ToSchema)]
struct Sessions {
    items: Vec<SessionView>,
}

/// Where the caller is signed in, used last first.
#[utoipa::path(tag = "sign-in", responses((status = 200, body = Sessions)))]
#[get("/sessions")]
async fn list_sessions(context: Context) -> Result<Reply<Sessions>, Problem> {
    let (user, now, current) = (signed_in(&context)?.user_id, context.now, context.session);
    let sessions = context.db.read(move |connection| people::sessions_of(connection, user, now)).await?;
    let show = |session: Session| {
        let Session { id, created_at, last_used_at, expires_at, device } = session;
        let (device, network) = (device.name, device.network);
        SessionView { id, created_at, last_used_at, expires_at, device, network, current: current == Some(id) }
    };
    Ok(Reply::ok(Sessions { items: sessions.into_iter().map(show).collect() }))
}

/// Ends one of the caller's sessions; its tokens stop working at once.
#[utoipa::path(tag = "sign-in", responses((status = 204, description = "It has ended.")))]
#[delete("/sessions/{id}")]
async fn end_session(context: Context, id: PathId<Session>) -> Result<Reply<()>, Problem> {
    let (person, now) = (signed_in(&context)?, context.now);
    context
        .db
        .write(move |tx| {
            let own = people::sessions_of(tx.connection, person.user_id, now)?;
            if own.iter().all(|session| session.id != id.0) {
                return Err(Problem::not_found());
            }
            people::end_session(tx, id.0, now)?;
            Ok(record(tx, Fact::new(Subject::User, person.user_id, "ended_session", person.actor(), now))?)
        })
        .await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// Ends all of the caller's sessions but the one that asks.
#[utoipa::path(tag = "sign-in", responses((status = 204, description = "They have ended.")))]
#[delete("/sessions")]
async fn end_other_sessions(context: Context) -> Result<Reply<()>, Problem> {
    let (person, now, current) = (signed_in(&context)?, context.now, context.session);
    context
        .db
        .write(move |tx| {
            people::end_other_sessions(tx, person.user_id, current, now)?;
            Ok::<_, Problem>(record(
                tx,
                Fact::new(Subject::User, person.user_id, "ended_sessions", person.actor(), now),
            )?)
        })
        .await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}
