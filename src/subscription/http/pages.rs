//! The pages behind the links in mails: confirm, manage, unsubscribe. Showing one changes nothing; its buttons POST.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{confirm, erase};
use crate::access::Context;
use crate::kernel::{Fit, Language, Seal, Text, text};
use crate::mail::Prose;
use crate::subscription::{Frequency, Names, State, Subscription, SubscriptionBody, actions, store};
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
        Ok(subscription) => {
            let token = actions::manage_token(&context, subscription.id);
            let words = text!("Abonnementet er bekræftet.", "The subscription is confirmed.");
            shown(&context, subscription, &token, Some(words)).await
        }
        Err(problem) => Err(problem),
    };
    HtmlPage::of(done, context.language)
}

/// The page of a subscription, with what it speaks of by name.
pub(super) async fn shown(
    context: &Context,
    subscription: Subscription,
    token: &str,
    news: Option<Text>,
) -> Result<HtmlPage, Problem> {
    let (now, inside) = (context.now, subscription.clone());
    let names = context.db.read(move |connection| actions::names(connection, std::slice::from_ref(&inside), now));
    Ok(manage(&subscription, &names.await?, token, news.as_ref()))
}

/// The page where a subscription is seen and changed.
fn manage(subscription: &Subscription, names: &Names, token: &str, news: Option<&Text>) -> HtmlPage {
    let language = subscription.body.language;
    let say = |text: Text| text.to(language).to_owned();
    let status = match subscription.state {
        State::Unconfirmed => text!("ikke bekræftet endnu", "not confirmed yet"),
        State::Confirmed { .. } => text!("aktivt", "active"),
        State::Unsubscribed { .. } => text!("afmeldt", "ended"),
    };
    let prose = news.into_iter().fold(Prose::default(), |prose, words| prose.paragraph(words.to(language)));
    let prose = prose
        .fact(say(text!("Mailadresse", "E-mail")), subscription.email.as_str())
        .fact(say(text!("Status", "Status")), say(status))
        .fact(say(text!("Du sagde ja til", "You agreed to")), &subscription.consent.text);
    let filter = &subscription.body.filter;
    let prose = filter.words(names).iter().fold(prose, |prose, line| prose.item(line.to(language)));
    let page = HtmlPage::new(language, say(text!("Dit abonnement", "Your subscription")), &prose);
    let action = format!("/api/v1/subscriptions/{token}");
    let deed = |value| Field::Hidden { name: "deed", value };
    let frequencies =
        [Frequency::Immediate, Frequency::Daily, Frequency::Weekly].map(|one| (one.word(), say(one.words())));
    let frequencies: Vec<(&str, &str)> = frequencies.iter().map(|(word, words)| (*word, words.as_str())).collect();
    let fields = [
        deed("change"),
        Field::Choice {
            name: "frequency",
            label: &say(text!("Mails kommer", "Mail comes")),
            options: &frequencies,
            chosen: subscription.body.frequency.word(),
        },
        Field::Choice {
            name: "language",
            label: &say(text!("Sprog", "Language")),
            options: &[("da", "dansk"), ("en", "English")],
            chosen: language.tag(),
        },
        Field::Line {
            name: "text",
            label: &say(text!("Ord, adskilt af komma", "Words, separated by commas")),
            value: filter.text.as_deref().unwrap_or_default(),
        },
    ];
    let page = page.form(&action, &fields, &say(text!("Gem", "Save")));
    let page = if subscription.is_confirmed() {
        page.form(&action, &[deed("unsubscribe")], &say(text!("Frameld", "Unsubscribe")))
    } else {
        page
    };
    page.form(&action, &[deed("erase")], &say(text!("Slet mine oplysninger", "Erase my data")))
}

/// What the buttons of the manage page send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ManageForm {
    /// change, unsubscribe or erase.
    deed: Deed,
    frequency: Option<Frequency>,
    language: Option<Language>,
    text: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Deed {
    Change,
    Unsubscribe,
    Erase,
}

/// What the buttons of the manage page do: change, unsubscribe, erase.
#[utoipa::path(tag = "subscriptions", security(()), request_body(content = ManageForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 404, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/subscriptions/{manage_token}")]
pub(super) async fn press_subscription(
    context: Context,
    token: web::Path<String>,
    form: web::Form<ManageForm>,
) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let done = press(&context, token.into_inner(), form.into_inner()).await;
    HtmlPage::of(done, language)
}

async fn press(context: &Context, token: String, form: ManageForm) -> Result<HtmlPage, Problem> {
    let (node, now) = (context.node.clone(), context.now);
    let language = context.language;
    match form.deed {
        Deed::Erase => {
            erase(context, token).await?;
            Ok(tell(language, &text!("Dine oplysninger er slettet.", "Your data is erased.")))
        }
        Deed::Unsubscribe => {
            let (managing, inside) = (token.clone(), node.clone());
            context
                .db
                .write(move |tx| {
                    let subscription = actions::managed(tx.connection, &inside, now, &token)?;
                    actions::leave(tx, now, subscription)
                })
                .await?;
            let again = managing.clone();
            let left = context.db.read(move |connection| actions::managed(connection, &node, now, &again)).await?;
            shown(context, left, &managing, None).await
        }
        Deed::Change => {
            let managing = token.clone();
            let changed =
                context.db.write(move |tx| actions::change(tx, &node, now, &token, None, |body| apply(body, form)));
            shown(context, changed.await?, &managing, Some(text!("Gemt.", "Saved."))).await
        }
    }
}

fn apply(body: &SubscriptionBody, form: ManageForm) -> Result<Fit<SubscriptionBody>, Problem> {
    let mut body = body.clone();
    body.frequency = form.frequency.unwrap_or(body.frequency);
    body.language = form.language.unwrap_or(body.language);
    if let Some(text) = form.text {
        body.filter.text = Some(text);
    }
    Ok(Fit::check(body)?)
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
