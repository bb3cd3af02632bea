//! Signing in, staying signed in, leaving.

use actix_web::http::StatusCode;
use chrono::TimeDelta;

use super::super::origin::Origin;
use super::super::password;
use super::super::store::{self, Pair};
use crate::access::issue;
use crate::access::store::{self as people, Session};
use crate::db::{DbError, Tx};
use crate::kernel::{Email, Id, Instant, Seal, UserId, digest, random_token, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::{Node, Problem};

/// How long a session lasts without being used.
const UNUSED_LIFETIME: TimeDelta = TimeDelta::days(30);
/// How long it lasts at most, however much it is used.
const SESSION_LIFETIME: TimeDelta = TimeDelta::days(90);

/// A pair of tokens, as they are handed out.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// The digests that tries are counted by.
pub(super) fn pair(seal: &Seal, written: &str, origin: &Origin) -> Pair {
    let key = Email::parse(written).map_or_else(|| written.trim().to_lowercase(), |email| email.key());
    let keyed = |usage, text: &str| digest(&seal.mac(usage, &[text.as_bytes()]));
    Pair { account: keyed("tried account", &key), place: keyed("tried from", &origin.place) }
}

/// Lets a try pass or turns it away; one that passes counts until it succeeds.
///
/// # Errors
/// 429 with the seconds to wait.
pub(super) async fn admit(node: &Node, now: Instant, pair: Pair) -> Result<(), Problem> {
    node.db
        .write(move |tx| {
            let Some(until) = store::tries(tx.connection, &pair, now)?.wait_until(now) else {
                return Ok(store::insert_try(tx, &pair, now)?);
            };
            let seconds = u64::try_from((until - now).num_seconds()).unwrap_or_default() + 1;
            let detail = text!(
                "Der er prøvet for mange gange. Vent {seconds} sekunder, eller vælg et nyt kodeord via linket i en mail",
                "There were too many tries. Wait {seconds} seconds, or choose a new password by a link in a mail"
            );
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", detail);
            Err(Problem { retry_after: Some(seconds), ..problem })
        })
        .await
}

/// Signs somebody in.
///
/// # Errors
/// 401 when address and password do not belong together, whichever of them is wrong; 429 after too many tries.
pub(crate) async fn sign_in(
    node: &Node,
    now: Instant,
    origin: Origin,
    written: &str,
    given: String,
) -> Result<Tokens, Problem> {
    let pair = pair(&node.seal, written, &origin);
    admit(node, now, pair.clone()).await?;
    let account = match Email::parse(written) {
        Some(email) => node.db.read(move |connection| people::account_by_email(connection, &email)).await?,
        None => None,
    };
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let right = password::is_right(given, hash).await?;
    // The same address has the same digest, which nobody can turn back into it.
    let (tried, network) = (pair.account.clone(), origin.device.network.clone());
    let Some(account) = account.filter(|account| right && account.is_active()) else {
        tracing::info!(account = tried, network, "a sign-in was refused");
        let detail = text!("Mailadresse og kodeord passer ikke sammen", "Address and password do not belong together");
        return Err(Problem { detail, code: "bad_credentials", ..Problem::unauthorized() });
    };
    let user = account.person.user_id;
    let (session, refresh) = node
        .db
        .write(move |tx| {
            store::welcome(tx, &pair, now)?;
            let session: Id<Session> = Id::made_at(now);
            people::begin_session(tx, session, user, &origin.device, now)?;
            Ok::<_, Problem>((session, new_refresh_token(tx, session, now, now)?))
        })
        .await?;
    tracing::info!(%user, account = tried, network, "signed in");
    tokens(node, user, session, refresh, now)
}

/// Gives a new pair for a refresh token; one that was used before ends its session.
///
/// # Errors
/// 401 for a token that is unknown, expired or used.
pub(crate) async fn refresh(node: &Node, now: Instant, origin: Origin, shown: String) -> Result<Tokens, Problem> {
    let hash = digest(shown.as_bytes());
    let renewed = node
        .db
        .write(move |tx| {
            let Some(token) = people::shown_token(tx, &hash)? else { return Ok::<_, Problem>(None) };
            if token.ended || token.expires_at <= now {
                return Ok(None);
            }
            let session = token.session_id;
            if token.spent {
                // Kept although the caller is refused: the thief's copy dies with the owner's.
                people::end_session(tx, session, now)?;
                let told = Fact::new(Subject::User, token.user_id, "refresh_token_reused", Actor::service(), now);
                record(tx, told.with(serde_json::json!({"session": session, "device": origin.device.name})))?;
                return Ok(None);
            }
            let account = people::account(tx.connection, token.user_id)?;
            if account.is_none_or(|account| !account.is_active()) {
                return Ok(None);
            }
            people::spend_token(tx, &hash, now)?;
            people::touch_session(tx, session, &origin.device, now)?;
            Ok(Some((token.user_id, session, new_refresh_token(tx, session, token.begun_at, now)?)))
        })
        .await?;
    let (user, session, refresh) = renewed.ok_or_else(Problem::unauthorized)?;
    tokens(node, user, session, refresh, now)
}

/// Ends the session of a refresh token; an unknown one is none of anybody's business.
///
/// # Errors
/// Those of the database.
pub(crate) async fn sign_out(node: &Node, now: Instant, shown: String) -> Result<(), Problem> {
    let hash = digest(shown.as_bytes());
    let left: Result<(), DbError> = node
        .db
        .write(move |tx| match people::shown_token(tx, &hash)? {
            Some(token) => people::end_session(tx, token.session_id, now),
            None => Ok(()),
        })
        .await;
    Ok(left?)
}

fn new_refresh_token(
    tx: &mut Tx<'_>,
    session: Id<Session>,
    begun_at: Instant,
    now: Instant,
) -> Result<String, Problem> {
    let token = random_token().map_err(|error| Problem::internal(&error))?;
    let expires_at = (now + UNUSED_LIFETIME).min(begun_at + SESSION_LIFETIME);
    people::draw_token(tx, &digest(token.as_bytes()), session, now, expires_at)?;
    Ok(token)
}

fn tokens(node: &Node, user: UserId, session: Id<Session>, refresh: String, now: Instant) -> Result<Tokens, Problem> {
    let access = issue(&node.seal, user, session, now).map_err(|error| Problem::internal(&error))?;
    Ok(Tokens { access, refresh })
}
