//! Inviting people, changing what they are, closing their accounts.

mod password;
mod sign_in;

use chrono::TimeDelta;

use super::letters;
use crate::access::store::{self as people, Account};
use crate::access::{Admin, OrgAdmin, Person, Role};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Email, Fit, Fitting, Flaws, Id, Instant, Language, OrganisationId, UserId, text};
use crate::organisation;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::queue_letter;
use crate::web::{Node, Problem};

pub(super) use password::{ask, change, look, set};
pub use password::{hash_checked, send_links};
pub(super) use sign_in::{Tokens, refresh, sign_in, sign_out};

/// How long an invitation's link is good for.
pub(super) const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(14);
/// How long a link that sets a new password is good for.
pub(super) const RESET_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// Whom to invite.
pub struct Invitation {
    pub email: Email,
    pub name: String,
    pub role: Role,
    pub organisation_id: Option<OrganisationId>,
}

/// Who looks after users: an admin after all, an organisation's own administrator after its own people.
pub(super) enum Steward {
    Admin(Admin),
    OrgAdmin(OrgAdmin),
}

/// What can be changed of a user.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mette Holm", "role": "org_admin", "organisation_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "active": true}))]
pub(super) struct UserChange {
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub(super) name: String,
    pub(super) role: Role,
    /// The body they act for; needed for `member` and `org_admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(super) organisation_id: Option<OrganisationId>,
    /// Whether the account can be used. Closing it ends its sessions and revokes its keys at once.
    pub(super) active: bool,
}

impl UserChange {
    /// What stands now.
    pub(super) fn of(account: &Account) -> Self {
        let Person { name, role, organisation_id, .. } = account.person.clone();
        Self { name, role, organisation_id, active: account.is_active() }
    }
}

impl Fitting for UserChange {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/name", &mut self.name, 1, 120);
    }
}

/// Adds a user and sends the invitation.
///
/// # Errors
/// 409 when the address has an account, 422 for a member of no body, or of one that is unknown or no longer exists.
pub fn invite(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    by: Actor,
    invitation: Invitation,
) -> Result<Account, Problem> {
    let account = add(tx, now, by, invitation, None)?;
    queue_letter(tx, &letters::invitation(node, &account, Language::Da, now), now)?;
    Ok(account)
}

/// Sends the invitation again, to somebody who has not accepted it.
///
/// # Errors
/// 404 for others' people, 409 once it was accepted.
pub(super) fn invite_again(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    steward: &Steward,
    id: UserId,
) -> Result<(), Problem> {
    let account = steward.find(tx.connection, id)?;
    if account.password_hash.is_some() || !account.is_active() {
        let detail = text!(
            "Kontoen er taget i brug eller lukket; en invitation hjælper ikke",
            "The account is in use or closed; an invitation is of no help"
        );
        return Err(Problem::conflict("not_invited", detail));
    }
    queue_letter(tx, &letters::invitation(node, &account, Language::Da, now), now)?;
    Ok(record(tx, Fact::new(Subject::User, id, "invited_again", steward.actor(), now))?)
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
    let hash = hash_checked(wanted, &[invitation.name.as_str(), invitation.email.as_str()]).await?;
    let now = node.now();
    node.db.write(move |tx| add(tx, now, by.actor(), invitation, Some(hash))).await
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
    require_body(tx.connection, now, role, organisation_id)?;
    let person = Person { user_id: Id::made_at(now), name, role, organisation_id, scopes: None };
    let account = Account::new(person, email, hash, now);
    people::insert_account(tx, &account)?;
    let id = account.person.user_id;
    record(tx, Fact::new(Subject::User, id, "invited", by, now).with(serde_json::json!({"role": role})))?;
    Ok(account)
}

fn require_body(
    connection: &mut AnyConnection,
    now: Instant,
    role: Role,
    organisation_id: Option<OrganisationId>,
) -> Result<(), Problem> {
    match organisation_id {
        None if matches!(role, Role::Member | Role::OrgAdmin) => {
            let detail = text!("En medarbejder hører til en organisation", "A member belongs to an organisation");
            Err(Problem::unfit("/organisation_id", "required", detail))
        }
        None => Ok(()),
        Some(body) => {
            let unknown = || text!("Organisationen findes ikke", "The organisation does not exist");
            let found = organisation::store::find(connection, body)?;
            let body = found.ok_or_else(|| Problem::unfit("/organisation_id", "unknown", unknown()))?;
            body.require_existing(now)
        }
    }
}

/// Changes a user. Nobody changes their own role or closes their own account, so an admin always remains.
///
/// # Errors
/// 403 for a role that is not the steward's to give, 409 for one's own account, 422.
pub(super) fn change_user(
    tx: &mut Tx<'_>,
    now: Instant,
    steward: &Steward,
    account: Account,
    change: Fit<UserChange>,
) -> Result<Account, Problem> {
    let before = UserChange::of(&account);
    let UserChange { name, role, organisation_id, active } = change.into_inner();
    let only_named = (role, organisation_id, active) == (before.role, before.organisation_id, before.active);
    if !only_named && steward.is(account.person.user_id) {
        let detail = text!(
            "Din egen rolle og konto må en anden administrator ændre",
            "Another administrator has to change your own role and account"
        );
        return Err(Problem::conflict("own_account", detail));
    }
    steward.require(role, organisation_id)?;
    if organisation_id != before.organisation_id || role != before.role {
        require_body(tx.connection, now, role, organisation_id)?;
    }
    let after = UserChange { name: name.clone(), role, organisation_id, active };
    let deactivated_at = if active { None } else { account.deactivated_at.or(Some(now)) };
    let person = Person { name, role, organisation_id, ..account.person };
    let changed = Account { person, deactivated_at, version: account.version + 1, ..account };
    people::update_account(tx, &changed)?;
    let id = changed.person.user_id;
    if before.active && !active {
        people::end_sessions(tx, id, now)?;
        people::revoke_keys_of(tx, id, now)?;
    }
    let deed = match (before.active, active) {
        (true, false) => "deactivated",
        (false, true) => "reactivated",
        _ => "changed",
    };
    let told = Fact::new(Subject::User, id, deed, steward.actor(), now);
    record(tx, told.with(serde_json::json!({"before": before, "after": after})))?;
    Ok(changed)
}

impl Steward {
    /// Who is written into history.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Admin(admin) => admin.actor(),
            Self::OrgAdmin(org_admin) => org_admin.actor(),
        }
    }

    /// The body whose people they look after; none for all.
    pub(super) fn body(&self) -> Option<OrganisationId> {
        match self {
            Self::Admin(_) => None,
            Self::OrgAdmin(org_admin) => Some(org_admin.organisation_id()),
        }
    }

    fn is(&self, id: UserId) -> bool {
        self.actor().user_id == Some(id.to_string())
    }

    /// A user whom they look after.
    ///
    /// # Errors
    /// 404 for everybody else.
    pub(super) fn find(&self, connection: &mut AnyConnection, id: UserId) -> Result<Account, Problem> {
        let found = people::account(connection, id)?;
        let own = |account: &Account| match self {
            Self::Admin(_) => true,
            // Staff may be registered with a body and are still not its administrator's to change.
            Self::OrgAdmin(org_admin) => {
                account.person.organisation_id == Some(org_admin.organisation_id())
                    && matches!(account.person.role, Role::Member | Role::OrgAdmin)
            }
        };
        found.filter(own).ok_or_else(Problem::not_found)
    }

    /// Whether this role in this body is theirs to give.
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
                "Det kan du kun for medarbejdere i din egen organisation",
                "You can only do this for people of your own organisation"
            ))
        };
        if own { Ok(()) } else { Err(refused()) }
    }
}
