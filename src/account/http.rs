//! Accounts over HTTP.

mod key;
mod password;
mod session;

use actix_web::http::StatusCode;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Invitation;
use super::actions::{self, Steward, UserChange};
use crate::access::store::{self as people, Account};
use crate::access::{Caller, Context, Person, Role, Scope};
use crate::kernel::{Email, Fitting, Flaws, OrganisationId, Page, UserId, of, text};
use crate::organisation;
use crate::web::{Body, IfMatch, Paging, Patch, PathId, Problem, Query, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    session::routes(config);
    password::routes(config);
    key::routes(config);
    config
        .service(get_me)
        .service(list_users)
        .service(add_user)
        .service(get_user)
        .service(change_user)
        .service(invite_user_again);
}

/// The name of an organisation, where only that is shown.
#[derive(Debug, Serialize, ToSchema)]
struct OrganisationName {
    #[schema(value_type = String, format = "uuid")]
    id: OrganisationId,
    name: String,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "name": "Mette Holm", "email": "mette@odense.example",
    "role": "member", "organisation": {"id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4f", "name": "Odense Kommune"}, "status": "active",
    "created_at": "2026-11-22T08:00:00Z"}))]
struct User {
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    name: String,
    email: String,
    role: Role,
    #[schema(required, nullable)]
    organisation: Option<OrganisationName>,
    status: UserStatus,
    created_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

/// How far an account is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum UserStatus {
    /// Has not chosen a password yet.
    Invited,
    Active,
    /// Closed: nothing of it works.
    Deactivated,
}

fn show(connection: &mut crate::db::AnyConnection, account: Account) -> Result<User, Problem> {
    let body = account.person.organisation_id;
    let body = body.map(|id| organisation::store::find(connection, id)).transpose()?.flatten();
    let status = match (account.is_active(), &account.password_hash) {
        (false, _) => UserStatus::Deactivated,
        (true, None) => UserStatus::Invited,
        (true, Some(_)) => UserStatus::Active,
    };
    Ok(User {
        status,
        created_at: account.created_at,
        version: account.version,
        id: account.person.user_id,
        name: account.person.name,
        email: account.email.as_str().to_owned(),
        role: account.person.role,
        organisation: body.map(|body| OrganisationName { id: body.id, name: body.body.name }),
    })
}

/// Who is signed in.
#[utoipa::path(tag = "sign-in", responses((status = 200, body = User)))]
#[get("/me")]
async fn get_me(context: Context) -> Result<Reply<User>, Problem> {
    let Caller::Person(person) = &context.caller else { return Err(Problem::unauthorized()) };
    let id = person.user_id;
    let user = context
        .db
        .read(move |connection| {
            let account = people::account(connection, id)?.ok_or_else(Problem::unauthorized)?;
            show(connection, account)
        })
        .await?;
    Ok(Reply::ok(user))
}

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "mette@odense.example", "name": "Mette Holm", "role": "member", "organisation_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"}))]
struct UserBody {
    email: String,
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    role: Role,
    /// The body they act for; needed for `member` and `org_admin`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    organisation_id: Option<OrganisationId>,
}
impl Fitting for UserBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.email("/email", &mut self.email);
        flaws.line("/name", &mut self.name, 1, 120);
    }
}

/// Invites somebody; they get a mail with a link that sets their password. By an admin, or by an organisation's own
/// administrator for its own people.
#[utoipa::path(tag = "users", request_body = UserBody, responses((status = 201, body = User)))]
#[post("/users")]
async fn add_user(context: Context, body: Body<UserBody>) -> Result<Reply<User>, Problem> {
    let steward = steward(&context)?;
    let UserBody { email, name, role, organisation_id } = body.0.into_inner();
    steward.require(role, organisation_id)?;
    let email = Email::parse(&email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
    let invitation = Invitation { email, name, role, organisation_id };
    let (node, now) = (context.node.clone(), context.now);
    let user = context
        .db
        .write(move |tx| {
            let account = super::invite(tx, &node, now, steward.actor(), invitation)?;
            show(tx.connection, account)
        })
        .await?;
    Ok(Reply::ok(user).status(StatusCode::CREATED))
}

/// Who looks after users here.
fn steward(context: &Context) -> Result<Steward, Problem> {
    match context.caller.admin() {
        Ok(admin) => Ok(Steward::Admin(admin)),
        Err(_) => context.caller.org_admin().map(Steward::OrgAdmin),
    }
}

/// What a list of users may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// Only this body's; an organisation's own administrator sees no others.
    #[param(value_type = Option<String>, format = "uuid")]
    organisation_id: Option<OrganisationId>,
    /// A part of the name or address.
    q: Option<String>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// The users: all for an admin, its own people for an organisation's administrator.
#[utoipa::path(tag = "users", params(UserQuery), responses((status = 200, body = Page<User>)))]
#[get("/users")]
async fn list_users(context: Context, query: Query<UserQuery>) -> Result<Reply<Page<User>>, Problem> {
    let steward = steward(&context)?;
    let Query(UserQuery { organisation_id, q, limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(people::LIST)?;
    let body = steward.body().or(organisation_id);
    if organisation_id.is_some() && organisation_id != body {
        let detail = text!("Du kan kun se din egen organisation", "You can only see your own organisation");
        return Err(Problem::forbidden(detail));
    }
    let page = context.db.read(move |connection| {
        let page = people::list(connection, body, q.as_deref(), &request)?;
        page.try_map(|account| show(connection, account))
    });
    Ok(Reply::page(page.await?))
}

/// One user.
#[utoipa::path(tag = "users", responses((status = 200, body = User, headers(("ETag")))))]
#[get("/users/{id}")]
async fn get_user(context: Context, id: PathId<of::User>) -> Result<Reply<User>, Problem> {
    let steward = steward(&context)?;
    let user = context.db.read(move |connection| {
        let account = steward.find(connection, id.0)?;
        show(connection, account)
    });
    let user = user.await?;
    let version = user.version;
    Ok(Reply::ok(user).tagged(version, context.language))
}

/// Changes a user's name, role or body, or closes the account: `{"active": false}`. Its sessions end and its keys are
/// revoked at once. Nobody changes their own role or closes their own account.
#[utoipa::path(tag = "users", request_body(content = UserChange, content_type = "application/merge-patch+json"), responses((status = 200, body = User)))]
#[patch("/users/{id}")]
async fn change_user(
    context: Context,
    id: PathId<of::User>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<User>, Problem> {
    let steward = steward(&context)?;
    let now = context.now;
    let user = context
        .db
        .write(move |tx| {
            let account = steward.find(tx.connection, id.0)?;
            seen.require(account.version)?;
            let change = patch.apply(&UserChange::of(&account))?;
            let changed = actions::change_user(tx, now, &steward, account, change)?;
            show(tx.connection, changed)
        })
        .await?;
    let version = user.version;
    Ok(Reply::ok(user).tagged(version, context.language))
}

/// Sends the invitation again, to somebody who has not accepted it.
#[utoipa::path(tag = "users", responses((status = 204, description = "It is on its way.")))]
#[post("/users/{id}/invite")]
async fn invite_user_again(context: Context, id: PathId<of::User>) -> Result<Reply<()>, Problem> {
    let steward = steward(&context)?;
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::invite_again(tx, &node, now, &steward, id.0)).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// Somebody who may look after their own keys and sessions: signed in, or with a key that reaches everywhere.
fn signed_in(context: &Context) -> Result<Person, Problem> {
    context.caller.person(Scope::Admin).cloned()
}
