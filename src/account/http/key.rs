//! API keys over HTTP.

use actix_web::http::StatusCode;
use actix_web::{delete, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::signed_in;
use crate::access::store::{self as people, ApiKey};
use crate::access::{Context, Scope};
use crate::kernel::{Fitting, Flaws, Id, digest, random_token, text};
use crate::outbox::{Fact, Subject, record};
use crate::web::{Body, PathId, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(add_api_key).service(list_api_keys).service(delete_api_key);
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
