//! Setting a password: the first by an invitation, a new one by a link that was asked for, another while signed in.

use super::super::link::Link;
use super::super::origin::Origin;
use super::super::store::{self, PasswordRequest};
use super::super::{letters, password};
use super::sign_in::{admit, pair};
use crate::access::Person;
use crate::access::store::{self as people, Account, Session};
use crate::db::{DbError, Tx};
use crate::kernel::{Email, Flaws, Id, Instant, Language, Seal, UserId, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::{may_be_asked, queue_letter};
use crate::web::{Node, Problem};

/// How many wishes for a link are looked at in one transaction.
const WISHES_AT_ONCE: i64 = 50;

/// The hash of a password that is strong enough.
///
/// # Errors
/// 422 when it is too weak.
pub async fn hash_checked(wanted: String, about: &[&str]) -> Result<String, Problem> {
    let mut flaws = Flaws::default();
    password::check("/password", &wanted, about, &mut flaws);
    if flaws.0.is_empty() { password::hash(wanted).await } else { Err(flaws.into()) }
}

/// Notes that somebody wants a link to set a new password. Whether the address is known is not even looked up before
/// the answer is given, so neither its words nor its time can tell; [`send_links`] does the rest.
///
/// # Errors
/// Those of the database.
pub(crate) async fn ask(node: &Node, now: Instant, email: Email, language: Language) -> Result<(), Problem> {
    node.db.write(move |tx| Ok(store::insert_request(tx, &email, language, now)?)).await
}

/// Looks at the wishes for a link, and mails one to each address that has an account: an invitation's where none was
/// accepted yet. Nobody gets more than five an hour. Returns whether there were any.
///
/// # Errors
/// [`DbError`].
pub async fn send_links(node: &actix_web::web::Data<Node>) -> Result<bool, DbError> {
    let wishes = node.db.read(|connection| store::requests(connection, WISHES_AT_ONCE)).await?;
    if wishes.is_empty() {
        return Ok(false);
    }
    let (node, now) = (node.clone(), node.now());
    node.clone().db.write(move |tx| wishes.into_iter().try_for_each(|wish| send_link(tx, &node, now, wish))).await?;
    Ok(true)
}

fn send_link(tx: &mut Tx<'_>, node: &Node, now: Instant, wish: PasswordRequest) -> Result<(), DbError> {
    // Another node may have been quicker.
    if !store::take_request(tx, wish.id)? {
        return Ok(());
    }
    let account = people::account_by_email(tx.connection, &wish.email)?.filter(Account::is_active);
    let Some(account) = account else { return Ok(()) };
    if !may_be_asked(tx, &account.email, now)? {
        return Ok(());
    }
    let letter = match account.password_hash {
        None => letters::invitation(node, &account, wish.language, now),
        Some(_) => letters::reset(node, &account, wish.language, now),
    };
    queue_letter(tx, &letter, now)?;
    record(tx, Fact::new(Subject::User, account.person.user_id, "asked_for_password", Actor::visitor(), now))
}

/// The account that a link opens now.
///
/// # Errors
/// 410, saying why it opens none.
pub(crate) async fn look(node: &Node, now: Instant, link: Link, token: &str) -> Result<Account, Problem> {
    let user: UserId = Seal::named_by(token).ok_or(crate::kernel::DeadLink::Altered)?;
    let account = node.db.read(move |connection| people::account(connection, user)).await?;
    let account = account.ok_or(crate::kernel::DeadLink::Altered)?;
    link.examine(node, token, &account, now)?;
    Ok(account)
}

/// Sets a password by a link. A new one signs its owner out everywhere, and makes the place that it is set from known.
///
/// # Errors
/// 410 for a link that is altered, expired or used; 422 for a password that is too weak.
pub(crate) async fn set(
    node: &actix_web::web::Data<Node>,
    now: Instant,
    origin: Origin,
    link: Link,
    token: String,
    wanted: String,
) -> Result<(), Problem> {
    let account = look(node, now, link, &token).await?;
    let hash = hash_checked(wanted, &[account.person.name.as_str(), account.email.as_str()]).await?;
    let pair = pair(&node.seal, account.email.as_str(), &origin);
    let (node, user) = (node.clone(), account.person.user_id);
    node.clone()
        .db
        .write(move |tx| {
            // Looked at again: of two who press at the same moment, one is first.
            let account = people::account(tx.connection, user)?.ok_or_else(Problem::not_found)?;
            link.examine(&node, &token, &account, now)?;
            store::forgive(tx, &pair.account)?;
            store::welcome(tx, &pair, now)?;
            let deed = match link {
                Link::Invitation => "accepted",
                Link::Reset => "reset_password",
            };
            replace(tx, &node, now, account, hash, None, deed)
        })
        .await
}

/// Changes the password of somebody who is signed in and knows the one that stands.
///
/// # Errors
/// 422 for a wrong or a weak password, 429 after too many tries.
pub(crate) async fn change(
    node: &actix_web::web::Data<Node>,
    now: Instant,
    origin: Origin,
    person: &Person,
    session: Id<Session>,
    current: String,
    wanted: String,
) -> Result<(), Problem> {
    let user = person.user_id;
    let account = node.db.read(move |connection| people::account(connection, user)).await?;
    let account = account.ok_or_else(Problem::unauthorized)?;
    let pair = pair(&node.seal, account.email.as_str(), &origin);
    admit(node, now, pair.clone()).await?;
    if !password::is_right(current, account.password_hash.clone()).await? {
        let detail = text!("Det er ikke dit nuværende kodeord", "That is not your present password");
        return Err(Problem::unfit("/current_password", "wrong_password", detail));
    }
    let hash = hash_checked(wanted, &[account.person.name.as_str(), account.email.as_str()]).await?;
    let node = node.clone();
    node.clone()
        .db
        .write(move |tx| {
            let known = account.password_hash;
            let account = people::account(tx.connection, user)?.filter(|account| account.password_hash == known);
            store::welcome(tx, &pair, now)?;
            replace(tx, &node, now, account.ok_or_else(Problem::unauthorized)?, hash, Some(session), "changed_password")
        })
        .await
}

/// Sets a password's hash, ends all sessions but one, and tells the owner unless it is their first.
fn replace(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    account: Account,
    hash: String,
    stays: Option<Id<Session>>,
    deed: &'static str,
) -> Result<(), Problem> {
    let first = account.password_hash.is_none();
    let account = Account { password_hash: Some(hash), version: account.version + 1, ..account };
    people::update_account(tx, &account)?;
    people::end_other_sessions(tx, account.person.user_id, stays, now)?;
    record(tx, Fact::new(Subject::User, account.person.user_id, deed, account.person.actor(), now))?;
    if !first {
        queue_letter(tx, &letters::password_changed(node, &account, Language::Da, now), now)?;
    }
    Ok(())
}
