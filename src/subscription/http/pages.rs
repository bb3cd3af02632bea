//! The pages behind the links in mails: confirm and unsubscribe. Showing one changes nothing; its buttons POST.

use actix_web::{get, post, web};

use super::confirm;
use crate::access::Context;
use crate::kernel::{Language, Seal, Text, text};
use crate::mail::Prose;
use crate::subscription::{Subscription, actions, store};
use crate::web::{Field, HtmlPage, Problem};

/// The page behind the link in the confirmation mail; shows a button and changes nothing.
#[utoipa::path(tag = "subscriptions", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/subscriptions/confirm/{token}")]
pub(super) async fn show_subscription_confirmation(context: Context, token: web::Path<String>) -> HtmlPage {
    let say = |text: Text| text.to(context.language).to_owned();
    let words = text!(
        "Tryk på knappen for at få mails om markedsdialoger.",
        "Press the button to get mail about market dialogues."
    );
    let title = say(text!("Bekræft dit abonnement", "Confirm your subscription"));
    HtmlPage::new(context.language, title, &Prose::default().paragraph(say(words))).form(
        &format!("/api/v1/subscriptions/confirm/{token}"),
        &[],
        &say(text!("Ja, jeg vil have mails", "Yes, send me mail")),
    )
}

/// What the page's button does: confirms the subscription.
#[utoipa::path(tag = "subscriptions", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/subscriptions/confirm/{token}")]
pub(super) async fn press_subscription_confirmation(
    context: Context,
    token: web::Path<String>,
) -> Result<HtmlPage, Problem> {
    let done = match confirm(&context, token.into_inner()).await {
        Ok(subscription) => confirmed(&context, subscription).await,
        Err(problem) => Err(problem),
    };
    HtmlPage::of(done, context.language)
}

/// What was confirmed, and the way to change it.
async fn confirmed(context: &Context, subscription: Subscription) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, subscription.body.language);
    let say = |text: Text| text.to(language).to_owned();
    let path = format!("/subscriptions/{}", actions::manage_token(context, subscription.id));
    let Subscription { email, body, .. } = subscription.clone();
    let names = context.db.read(move |connection| actions::names(connection, std::slice::from_ref(&subscription), now));
    let words = text!("Abonnementet er bekræftet.", "The subscription is confirmed.");
    let prose = Prose::default()
        .paragraph(say(words))
        .fact(say(text!("Mailadresse", "E-mail")), email.as_str())
        .fact(say(text!("Mails kommer", "Mail comes")), say(body.frequency.words()));
    let prose = body.filter.words(&names.await?).iter().fold(prose, |prose, line| prose.item(line.to(language)));
    let way = (say(text!("Se eller ret abonnementet", "See or change the subscription")), path);
    Ok(HtmlPage::new(language, say(text!("Dit abonnement", "Your subscription")), &prose).links(&[way]))
}

/// The page behind an unsubscribe link; shows a button and changes nothing (RFC 8058 § 3.1).
#[utoipa::path(tag = "subscriptions", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/unsubscribe/{token}")]
pub(super) async fn show_unsubscribe(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let token = token.into_inner();
    let named = Seal::named_by::<Subscription>(&token);
    let found = context.db.read(move |connection| match named {
        Some(id) => store::find(connection, id).map_err(Problem::from),
        None => Ok(None),
    });
    let language = found.await?.map_or(context.language, |subscription| subscription.body.language);
    let say = |text: Text| text.to(language).to_owned();
    let words = text!(
        "Tryk på knappen, så får du ikke flere mails fra dette abonnement.",
        "Press the button, and no more mail comes from this subscription."
    );
    Ok(HtmlPage::new(language, say(text!("Frameld", "Unsubscribe")), &Prose::default().paragraph(say(words))).form(
        &format!("/api/v1/unsubscribe/{token}"),
        &[Field::Hidden { name: "List-Unsubscribe", value: "One-Click" }],
        &say(text!("Frameld", "Unsubscribe")),
    ))
}

/// Ends a subscription with one click (RFC 8058): no cookie, no redirect, whatever the body; again changes nothing.
#[utoipa::path(tag = "subscriptions", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded", example = json!("List-Unsubscribe=One-Click")), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/unsubscribe/{token}")]
pub(super) async fn press_unsubscribe(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let token = token.into_inner();
    let done = context.db.write(move |tx| actions::unsubscribe(tx, &node, now, &token)).await;
    let words = text!("Du er frameldt og får ikke flere mails.", "You are unsubscribed, and no more mail comes.");
    HtmlPage::of(done.map(|()| tell(language, &words)), language)
}

fn tell(language: Language, words: &Text) -> HtmlPage {
    HtmlPage::new(language, text!("Det er gjort", "Done").to(language), &Prose::default().paragraph(words.to(language)))
}
