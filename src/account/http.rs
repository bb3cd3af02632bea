//! Accounts over HTTP.

use actix_web::http::StatusCode;
use actix_web::{delete, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, Inviter, Tokens};
use super::{Invitation, password};
use crate::access::store::{self as people, Account, ApiKey};
use crate::access::{ACCESS_LIFETIME, Caller, Context, Role, Scope};
use crate::kernel::{Email, Fitting, Flaws, Id, OrganisationId, UserId, digest, random_token, text};
use crate::organisation;
use crate::outbox::{Fact, Subject, record};
use crate::web::{Body, PathId, Problem, Reply};

/// Mounts the slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(sign_in)
        .service(refresh_token)
        .service(sign_out)
        .service(get_me)
        .service(add_user)
        .service(accept_invitation)
        .service(add_api_key)
        .service(list_api_keys)
        .service(delete_api_key);
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
#[utoipa::path(tag = "sign-in", security(()), request_body = Credentials, responses((status = 200, body = TokenPair), (status = 401, description = "They do not belong together, or are spent.")))]
#[post("/auth/token")]
async fn sign_in(context: Context, body: Body<Credentials>) -> Result<Reply<TokenPair>, Problem> {
    let Credentials { email, password } = body.0.into_inner();
    actions::sign_in(&context, context.now, Email::parse(&email), password).await.map(pair)
}

/// Exchange a refresh token for a new pair; the old one is spent, and using it again ends the session.
#[utoipa::path(tag = "sign-in", security(()), request_body = RefreshBody, responses((status = 200, body = TokenPair), (status = 401, description = "They do not belong together, or are spent.")))]
#[post("/auth/refresh")]
async fn refresh_token(context: Context, body: Body<RefreshBody>) -> Result<Reply<TokenPair>, Problem> {
    let RefreshBody { refresh_token } = body.0.into_inner();
    actions::refresh(&context, context.now, refresh_token).await.map(pair)
}

/// Sign out: ends the session of this refresh token.
#[utoipa::path(tag = "sign-in", security(()), request_body = RefreshBody, responses((status = 204, description = "Signed out.")))]
#[post("/auth/logout")]
async fn sign_out(context: Context, body: Body<RefreshBody>) -> Result<Reply<()>, Problem> {
    actions::sign_out(&context, context.now, body.0.into_inner().refresh_token).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
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
    "role": "member", "organisation": {"id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4f", "name": "Odense Kommune"}}))]
struct User {
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    name: String,
    email: String,
    role: Role,
    #[schema(required, nullable)]
    organisation: Option<OrganisationName>,
}

fn show(connection: &mut crate::db::AnyConnection, account: Account) -> Result<User, Problem> {
    let body = account.person.organisation_id;
    let body = body.map(|id| organisation::store::find(connection, id)).transpose()?.flatten();
    Ok(User {
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
#[utoipa::path(tag = "sign-in", request_body = UserBody, responses((status = 201, body = User)))]
#[post("/users")]
async fn add_user(context: Context, body: Body<UserBody>) -> Result<Reply<User>, Problem> {
    let inviter = match context.caller.admin() {
        Ok(admin) => Inviter::Admin(admin),
        Err(_) => Inviter::OrgAdmin(context.caller.org_admin()?),
    };
    let UserBody { email, name, role, organisation_id } = body.0.into_inner();
    inviter.require(role, organisation_id)?;
    let email = Email::parse(&email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
    let invitation = Invitation { email, name, role, organisation_id };
    let (node, now) = (context.node.clone(), context.now);
    let user = context
        .db
        .write(move |tx| {
            let account = super::invite(tx, &node, now, inviter.actor(), invitation)?;
            show(tx.connection, account)
        })
        .await?;
    Ok(Reply::ok(user).status(StatusCode::CREATED))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "AZPxwnpefDGdPj9qKxwNTg…", "password": "en gul cykel i regnvejr"}))]
struct Acceptance {
    /// From the link in the invitation.
    token: String,
    /// 12 to 200 characters, not a common one.
    #[schema(min_length = 12, max_length = 200)]
    password: String,
}
impl Fitting for Acceptance {
    fn fit(&mut self, flaws: &mut Flaws) {
        password::check("/password", &self.password, flaws);
    }
}

/// Sets the first password, by the link in the invitation.
#[utoipa::path(tag = "sign-in", security(()), request_body = Acceptance, responses((status = 204, description = "The account can be used."), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/invitations/accept")]
async fn accept_invitation(context: Context, body: Body<Acceptance>) -> Result<Reply<()>, Problem> {
    let Acceptance { token, password } = body.0.into_inner();
    actions::accept(&context, context.now, token, password).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Sagssystemet", "scopes": ["challenges:read", "challenges:write"]}))]
struct ApiKeyBody {
    /// 1 to 100 characters: what the key is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// At least one.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// When it stops working; never when left out.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}
impl Fitting for ApiKeyBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/name", &mut self.name, 1, 100);
        flaws.count("/scopes", &self.scopes, 1, 6);
        flaws.date("/expires_at", self.expires_at.map(|at| at.date_naive()));
    }
}

/// An API key, as it is listed.
#[derive(Serialize, ToSchema)]
struct ApiKeyView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<ApiKey>,
    name: String,
    scopes: Vec<Scope>,
    created_at: DateTime<Utc>,
    #[schema(required, nullable)]
    expires_at: Option<DateTime<Utc>>,
    /// To the minute.
    #[schema(required, nullable)]
    last_used_at: Option<DateTime<Utc>>,
    /// The key itself: in the answer that makes it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "skala_…")]
    key: Option<String>,
}

impl ApiKeyView {
    fn of(key: ApiKey, secret: Option<String>) -> Self {
        let ApiKey { id, name, scopes, created_at, expires_at, last_used_at } = key;
        Self { id, name, scopes, created_at, expires_at, last_used_at, key: secret }
    }
}

/// The caller's API keys.
#[derive(Serialize, ToSchema)]
struct ApiKeys {
    items: Vec<ApiKeyView>,
}

/// Makes an API key that acts for the caller, within its scopes. The key is shown once.
#[utoipa::path(tag = "sign-in", request_body = ApiKeyBody, responses((status = 201, body = ApiKeyView)))]
#[post("/api-keys")]
async fn add_api_key(context: Context, body: Body<ApiKeyBody>) -> Result<Reply<ApiKeyView>, Problem> {
    let person = signed_in(&context)?;
    let ApiKeyBody { name, scopes, expires_at } = body.0.into_inner();
    let now = context.now;
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        let detail = text!("Udløbet skal ligge i fremtiden", "The expiry must lie in the future");
        return Err(Problem::unfit("/expires_at", "in_the_past", detail));
    }
    let random = random_token().map_err(|error| Problem::internal(&error))?;
    let secret = format!("skala_{random}");
    let key = ApiKey { id: Id::made_at(now), name, scopes, created_at: now, expires_at, last_used_at: None };
    let hash = digest(secret.as_bytes());
    let added = context
        .db
        .write(move |tx| {
            people::insert_key(tx, &key, person.user_id, &hash)?;
            let fact = Fact::new(Subject::User, person.user_id, "made_api_key", person.actor(), now);
            record(tx, fact.with(serde_json::json!({"name": key.name, "scopes": key.scopes})))?;
            Ok::<_, Problem>(key)
        })
        .await?;
    let location = format!("/api/v1/api-keys/{}", added.id);
    Ok(Reply::created(ApiKeyView::of(added, Some(secret)), location).secret())
}

/// The caller's API keys, newest first.
#[utoipa::path(tag = "sign-in", responses((status = 200, body = ApiKeys)))]
#[get("/api-keys")]
async fn list_api_keys(context: Context) -> Result<Reply<ApiKeys>, Problem> {
    let person = signed_in(&context)?;
    let keys = context.db.read(move |connection| people::keys_of(connection, person.user_id)).await?;
    Ok(Reply::ok(ApiKeys { items: keys.into_iter().map(|key| ApiKeyView::of(key, None)).collect() }))
}

/// Revokes an API key at once.
#[utoipa::path(tag = "sign-in", responses((status = 204, description = "The key no longer works.")))]
#[delete("/api-keys/{id}")]
async fn delete_api_key(context: Context, id: PathId<ApiKey>) -> Result<Reply<()>, Problem> {
    let person = signed_in(&context)?;
    let now = context.now;
    context
        .db
        .write(move |tx| {
            if !people::revoke_key(tx, id.0, person.user_id, now)? {
                return Err(Problem::not_found());
            }
            Ok(record(tx, Fact::new(Subject::User, person.user_id, "revoked_api_key", person.actor(), now))?)
        })
        .await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// Somebody who may look after their own keys: signed in, or with a key that reaches everywhere.
fn signed_in(context: &Context) -> Result<crate::access::Person, Problem> {
    context.caller.person(Scope::Admin).cloned()
}
