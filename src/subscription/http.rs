//! Subscriptions over HTTP: for programs in JSON, for people who follow a link in a mail as small pages.

mod pages;

use actix_web::http::StatusCode;
use actix_web::web::Redirect;
use actix_web::{Either, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Filter, Frequency, State, Subscription, SubscriptionBody, actions};
use crate::access::Context;
use crate::kernel::{Email, Fitting, Flaws, Id, Language, text};
use crate::web::{Body, IfMatch, Patch, Prefers, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(add_subscription)
        .service(confirm_subscription)
        .service(pages::show_subscription_confirmation)
        .service(pages::press_subscription_confirmation)
        .service(get_subscription)
        .service(change_subscription)
        .service(delete_subscription)
        .service(pages::show_unsubscribe)
        .service(pages::press_unsubscribe);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSubscription, example = json!({"email": "salg@firma.example", "language": "da", "frequency": "immediate", "filter": {"cpv": ["33000000"], "nuts": [], "themes": [], "process_ids": [], "text": "fald, natligt tilsyn"}}))]
struct NewBody {
    /// At most 254 characters.
    email: String,
    /// Danish when left out.
    #[serde(default)]
    language: Language,
    /// At once when left out.
    #[serde(default)]
    frequency: Frequency,
    /// Everything when left out.
    #[serde(default)]
    filter: Filter,
}
impl Fitting for NewBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.email("/email", &mut self.email);
        self.filter.fit_at("/filter", flaws);
    }
}

/// What is to happen next.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionAsked)]
struct Next {
    #[schema(example = "Se i din mail, og bekræft via linket inden 7 dage")]
    next: String,
}

/// Subscribes to market dialogues. A mail asks the address's owner to confirm; the answer here is the same for every
/// address, known or not.
#[utoipa::path(tag = "subscriptions", security(()), request_body = NewBody, responses((status = 202, body = Next)))]
#[post("/subscriptions")]
async fn add_subscription(context: Context, body: Body<NewBody>) -> Result<Reply<Next>, Problem> {
    let NewBody { email, language, frequency, filter } = body.0.into_inner();
    let email = Email::parse(&email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
    let wish = SubscriptionBody { language, frequency, filter };
    let (node, now, network) = (context.node.clone(), context.now, context.network.clone());
    let source = "POST /api/v1/subscriptions";
    context.db.write(move |tx| actions::subscribe(tx, &node, now, email, wish, source, network.as_ref())).await?;
    let next = text!(
        "Se i din mail, og bekræft via linket inden 7 dage",
        "Look in your mail, and confirm by the link within 7 days"
    );
    Ok(Reply::ok(Next { next: next.to(context.language).to_owned() }).status(StatusCode::ACCEPTED))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriptionConfirmation, example = json!({"token": "AZPxwnpefDGdPj9qKxwNTg"}))]
struct TokenBody {
    /// From the link in the mail.
    token: String,
}
impl Fitting for TokenBody {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// The key to a subscription.
#[derive(Serialize, ToSchema)]
struct Managed {
    /// Opens `/subscriptions/{manage_token}`; keep it.
    #[schema(example = "AZPxwnpefDGdPj9qKxwNTg")]
    manage_token: String,
}

/// Confirms a subscription by the token from the mail; works once, within 7 days.
#[utoipa::path(tag = "subscriptions", security(()), request_body = TokenBody, responses((status = 200, body = Managed), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/subscriptions/confirm")]
async fn confirm_subscription(context: Context, body: Body<TokenBody>) -> Result<Reply<Managed>, Problem> {
    let subscription = confirm(&context, body.0.into_inner().token).await?;
    Ok(Reply::ok(Managed { manage_token: actions::manage_token(&context, subscription.id) }).secret())
}

async fn confirm(context: &Context, token: String) -> Result<Subscription, Problem> {
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::confirm(tx, &node, now, &token)).await
}

/// What was agreed to.
#[derive(Serialize, ToSchema)]
#[schema(as = Consent)]
struct ConsentView {
    text: String,
    at: DateTime<Utc>,
    /// By which way it came.
    #[schema(example = "POST /api/v1/subscriptions")]
    source: String,
}

/// All that is known of a subscriber.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
struct SubscriptionView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Subscription>,
    email: String,
    #[serde(flatten)]
    body: SubscriptionBody,
    /// unconfirmed, confirmed or unsubscribed.
    #[schema(example = "confirmed")]
    status: &'static str,
    consent: ConsentView,
    #[schema(required, nullable)]
    confirmed_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    unsubscribed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

fn show(subscription: Subscription, language: Language) -> Reply<SubscriptionView> {
    let version = subscription.version;
    let (confirmed_at, unsubscribed_at) = match &subscription.state {
        State::Unconfirmed => (None, None),
        State::Confirmed { confirmed_at } => (Some(*confirmed_at), None),
        State::Unsubscribed { unsubscribed_at } => (None, Some(*unsubscribed_at)),
    };
    let view = SubscriptionView {
        id: subscription.id,
        email: subscription.email.as_str().to_owned(),
        status: subscription.state.word(),
        body: subscription.body,
        consent: ConsentView {
            text: subscription.consent.text,
            at: subscription.consent.at,
            source: subscription.consent.source,
        },
        confirmed_at,
        unsubscribed_at,
        created_at: subscription.created_at,
        updated_at: subscription.updated_at,
    };
    Reply::ok(view).tagged(version, language)
}

/// The subscription that the link names, with all that is kept of it; a client that would rather have HTML is led to its
/// page.
#[utoipa::path(tag = "subscriptions", security(()), responses((status = 200, body = SubscriptionView, headers(("ETag"))), (status = 303, description = "To the page for people."), (status = 404, content((Object = "application/problem+json"), (String = "text/html")))))]
#[get("/subscriptions/{manage_token}")]
async fn get_subscription(
    context: Context,
    token: web::Path<String>,
    prefers: Prefers,
) -> Result<Either<Reply<SubscriptionView>, Redirect>, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    if prefers == Prefers::Html {
        return Ok(Either::Right(Redirect::to(format!("/subscriptions/{token}")).see_other()));
    }
    let token = token.into_inner();
    let found = context.db.read(move |connection| actions::managed(connection, &node, now, &token)).await?;
    Ok(Either::Left(show(found, language)))
}

/// Changes language, frequency or filter.
#[utoipa::path(tag = "subscriptions", security(()), request_body(content = SubscriptionBody, content_type = "application/merge-patch+json"), responses((status = 200, body = SubscriptionView)))]
#[patch("/subscriptions/{manage_token}")]
async fn change_subscription(
    context: Context,
    token: web::Path<String>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<SubscriptionView>, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let token = token.into_inner();
    let changed = context
        .db
        .write(move |tx| actions::change(tx, &node, now, &token, Some(&seen), |body| patch.apply(body)))
        .await?;
    Ok(show(changed, language))
}

/// Forgets the subscription and its address; the ledger keeps a keyed hash of it.
#[utoipa::path(tag = "subscriptions", security(()), responses((status = 204, description = "Forgotten.")))]
#[delete("/subscriptions/{manage_token}")]
async fn delete_subscription(context: Context, token: web::Path<String>) -> Result<Reply<()>, Problem> {
    let (node, now, token) = (context.node.clone(), context.now, token.into_inner());
    context.db.write(move |tx| actions::erase(tx, &node, now, &token)).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}
