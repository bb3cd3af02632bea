//! Inviting, accepting, signing in, staying signed in, leaving.

use chrono::TimeDelta;

use super::password;
use super::store::{self, Session};
use crate::access::store::{self as people, Account};
use crate::access::{Admin, OrgAdmin, Person, Role, issue};
use crate::db::{DbError, Tx};
use crate::kernel::{
    Email, Flaws, Id, Instant, Language, OrganisationId, Seal, SealedFor, UserId, digest, random_token, text,
};
use crate::mail::{Letter, Prose};
use crate::organisation;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::queue_letter;
use crate::web::{Node, Problem};

/// How long a session lasts without being used.
const SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);
/// How long an invitation's link is good for.
const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(14);

/// Whom to invite.
pub struct Invitation {
    pub email: Email,
    pub name: String,
    pub role: Role,
    pub organisation_id: Option<OrganisationId>,
}

/// Who invites: an admin anybody, an organisation's own administrator its own people.
pub(super) enum Inviter {
    Admin(Admin),
    OrgAdmin(OrgAdmin),
}

/// A pair of tokens, as they are handed out.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// Adds a user and sends the invitation.
///
/// # Errors
/// 409 when the address has an account, 422 for a member of no body or of one that is unknown.
pub fn invite(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    by: Actor,
    invitation: Invitation,
) -> Result<Account, Problem> {
    let account = add(tx, now, by, invitation, None)?;
    let letter = invitation_letter(node, &account, now);
    queue_letter(tx, &letter, now)?;
    Ok(account)
}

/// Adds a user who can sign in at once: for the command line, where a password is at hand.
///
/// # Errors
/// As [`invite`], and 422 for a password that is too weak.
pub async fn add_with_password(
    node: &Node,
    by: Admin,
    invitation: Invitation,
    wanted: String,
) -> Result<Account, Problem> {
    let hash = hash_checked(wanted).await?;
    let now = node.now();
    node.db.write(move |tx| add(tx, now, by.actor(), invitation, Some(hash))).await
}

/// The hash of a password that is strong enough.
///
/// # Errors
/// 422 when it is too weak.
pub async fn hash_checked(wanted: String) -> Result<String, Problem> {
    let mut flaws = Flaws::default();
    password::check("/password", &wanted, &mut flaws);
    if flaws.0.is_empty() { password::hash(wanted).await } else { Err(flaws.into()) }
}

/// Adds a user, with a password's hash or without one until the invitation is accepted.
///
/// # Errors
/// As [`invite`].
pub fn add(
    tx: &mut Tx<'_>,
    now: Instant,
    by: Actor,
    invitation: Invitation,
    hash: Option<String>,
) -> Result<Account, Problem> {
    let Invitation { email, name, role, organisation_id } = invitation;
    if people::account_by_email(tx.connection, &email)?.is_some() {
        let detail = text!("Adressen har allerede en konto", "The address has an account already");
        return Err(Problem::conflict("email_taken", detail));
    }
    match organisation_id {
        None if matches!(role, Role::Member | Role::OrgAdmin) => {
            let detail = text!("En medarbejder hører til en organisation", "A member belongs to an organisation");
            return Err(Problem::unfit("/organisation_id", "required", detail));
        }
        Some(body) if organisation::store::find(tx.connection, body)?.is_none() => {
            let detail = text!("Organisationen findes ikke", "The organisation does not exist");
            return Err(Problem::unfit("/organisation_id", "unknown", detail));
        }
        _ => {}
    }
    let person = Person { user_id: Id::made_at(now), name, role, organisation_id, scopes: None };
    let account = Account { person, email, password_hash: hash };
    people::insert_account(tx, &account, now)?;
    let id = account.person.user_id;
    record(tx, Fact::new(Subject::User, id, "invited", by, now).with(serde_json::json!({"role": role})))?;
    Ok(account)
}

fn invitation_letter(node: &Node, account: &Account, now: Instant) -> Letter {
    let until = now + INVITATION_LIFETIME;
    let token = node.seal.token(SealedFor::AcceptInvitation, account.person.user_id, Some(until), "invited");
    let name = &account.person.name;
    let prose = Prose::default()
        .heading("Velkommen til Skala")
        .paragraph(format!(
            "Hej {name}\n\nDer er oprettet en konto til dig. Vælg et kodeord via linket; det gælder i 14 dage."
        ))
        .link("Vælg kodeord", node.url(&format!("/invitation#{token}")))
        .paragraph(format!(
            "Bruger du API'et: POST /api/v1/invitations/accept med {{\"token\": \"{token}\", \"password\": \"…\"}}"
        ))
        .small("Kender du ikke til Skala, kan du se bort fra denne mail; uden kodeord kan kontoen ikke bruges.");
    Letter::new(&account.email, Language::Da, "Din konto hos Skala", prose)
}

/// Sets the first password by the invitation's link.
///
/// # Errors
/// 410 for a link that is altered, expired or used.
pub(super) async fn accept(node: &Node, now: Instant, token: String, wanted: String) -> Result<(), Problem> {
    let user: UserId = Seal::named_by(&token).ok_or_else(Problem::dead_link)?;
    let hash = password::hash(wanted).await?;
    let seal = node.seal.clone();
    node.db
        .write(move |tx| {
            let account = people::account(tx.connection, user)?.ok_or_else(Problem::dead_link)?;
            let open = account.password_hash.is_none()
                && seal.opens(&token, SealedFor::AcceptInvitation, user, "invited", now);
            if !open {
                return Err(Problem::dead_link());
            }
            people::set_password(tx, user, &hash)?;
            record(tx, Fact::new(Subject::User, user, "accepted", account.person.actor(), now))?;
            Ok(())
        })
        .await
}

/// Signs somebody in.
///
/// # Errors
/// 401 when address and password do not belong together, whichever of them is wrong.
pub(super) async fn sign_in(node: &Node, now: Instant, email: Option<Email>, given: String) -> Result<Tokens, Problem> {
    let account = match email {
        Some(email) => node.db.read(move |connection| people::account_by_email(connection, &email)).await?,
        None => None,
    };
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let right = password::is_right(given, hash).await?;
    let person = account.filter(|_| right).map(|account| account.person).ok_or_else(|| Problem {
        detail: text!("Mailadresse og kodeord passer ikke sammen", "Address and password do not belong together"),
        code: "bad_credentials",
        ..Problem::unauthorized()
    })?;
    let user = person.user_id;
    let refresh = node
        .db
        .write(move |tx| {
            let session: Id<Session> = Id::made_at(now);
            store::begin_session(tx, session, user, now)?;
            new_refresh_token(tx, session, now)
        })
        .await?;
    tokens(node, &person, refresh, now)
}

/// Gives a new pair for a refresh token; one that was used before ends its session.
///
/// # Errors
/// 401 for a token that is unknown, expired or used.
pub(super) async fn refresh(node: &Node, now: Instant, shown: String) -> Result<Tokens, Problem> {
    let hash = digest(shown.as_bytes());
    let renewed = node
        .db
        .write(move |tx| {
            let Some(token) = store::shown_token(tx, &hash)? else { return Ok::<_, Problem>(None) };
            if token.ended || token.expires_at <= now {
                return Ok(None);
            }
            if token.spent {
                // Kept although the caller is refused: the thief's copy dies with the owner's.
                store::end_session(tx, token.session_id, now)?;
                return Ok(None);
            }
            let Some(account) = people::account(tx.connection, token.user_id)? else { return Ok(None) };
            store::spend_token(tx, &hash, now)?;
            Ok(Some((account.person, new_refresh_token(tx, token.session_id, now)?)))
        })
        .await?;
    let (person, refresh) = renewed.ok_or_else(Problem::unauthorized)?;
    tokens(node, &person, refresh, now)
}

/// Ends the session of a refresh token; an unknown one is none of anybody's business.
///
/// # Errors
/// Those of the database.
pub(super) async fn sign_out(node: &Node, now: Instant, shown: String) -> Result<(), Problem> {
    let hash = digest(shown.as_bytes());
    let left: Result<(), DbError> = node
        .db
        .write(move |tx| match store::shown_token(tx, &hash)? {
            Some(token) => store::end_session(tx, token.session_id, now),
            None => Ok(()),
        })
        .await;
    Ok(left?)
}

fn new_refresh_token(tx: &mut Tx<'_>, session: Id<Session>, now: Instant) -> Result<String, Problem> {
    let token = random_token().map_err(|error| Problem::internal(&error))?;
    store::insert_token(tx, &digest(token.as_bytes()), session, now, now + SESSION_LIFETIME)?;
    Ok(token)
}

fn tokens(node: &Node, person: &Person, refresh: String, now: Instant) -> Result<Tokens, Problem> {
    let access = issue(&node.seal, person, now).map_err(|error| Problem::internal(&error))?;
    Ok(Tokens { access, refresh })
}

impl Inviter {
    /// Who is written into history.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Admin(admin) => admin.actor(),
            Self::OrgAdmin(org_admin) => org_admin.actor(),
        }
    }

    /// Whether this invitation is theirs to give.
    ///
    /// # Errors
    /// 403.
    pub(super) fn require(&self, role: Role, body: Option<OrganisationId>) -> Result<(), Problem> {
        let own = match self {
            Self::Admin(_) => true,
            Self::OrgAdmin(org_admin) => {
                matches!(role, Role::Member | Role::OrgAdmin) && body == Some(org_admin.organisation_id())
            }
        };
        let refused = || {
            Problem::forbidden(text!(
                "Du kan kun invitere medarbejdere i din egen organisation",
                "You can only invite people of your own organisation"
            ))
        };
        if own { Ok(()) } else { Err(refused()) }
    }
}
