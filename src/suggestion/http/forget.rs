//! Whoever made a suggestion takes it back, or only their address, by the link in the mail.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::Context;
use crate::kernel::{Text, text};
use crate::mail::Prose;
use crate::suggestion::actions;
use crate::web::{Field, HtmlPage, Problem};

/// The page behind the link to be forgotten: where the suggestion stands, and what can be erased. Showing it changes nothing.
#[utoipa::path(tag = "suggestions", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/suggestions/forget/{token}")]
pub(super) async fn show_suggestion_to_forget(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let named = token.clone();
    let found = context.db.read(move |connection| actions::forgettable(connection, &node, now, &named)).await;
    let page = found.map(|suggestion| {
        let say = |text: Text| text.to(language).to_owned();
        let prose = Prose::default()
            .paragraph(&suggestion.told.what)
            .fact(say(text!("Det er nu", "It is now")), say(suggestion.state.name()));
        let page = HtmlPage::new(language, say(text!("Dit forslag", "Your suggestion")), &prose);
        let action = format!("/api/v1/suggestions/forget/{token}");
        let deed = |value| [Field::Hidden { name: "deed", value }];
        let page = if suggestion.email.is_some() {
            page.form(&action, &deed("stop"), &say(text!("Slet kun min adresse", "Erase my address alone")))
        } else {
            page
        };
        page.form(&action, &deed("erase"), &say(text!("Slet det, jeg skrev", "Erase what I wrote")))
    });
    HtmlPage::of(page, language)
}

/// What the buttons of the page send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgetSuggestionForm)]
pub(super) struct ForgetForm {
    deed: Deed,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ForgetSuggestionDeed)]
enum Deed {
    /// No more mail: the address is forgotten.
    Stop,
    /// The words are forgotten too.
    Erase,
}

/// What the buttons of the page do: forget the address, or the suggestion with it.
#[utoipa::path(tag = "suggestions", security(()), request_body(content = ForgetForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/suggestions/forget/{token}")]
pub(super) async fn press_suggestion_to_forget(
    context: Context,
    token: web::Path<String>,
    form: web::Form<ForgetForm>,
) -> Result<HtmlPage, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let done = context.db.write(move |tx| match form.deed {
        Deed::Stop => {
            actions::forget_address(tx, &node, now, &token)?;
            Ok(text!("Adressen er slettet. Der kommer ikke flere mails.", "The address is erased. No more mail comes."))
        }
        Deed::Erase => {
            actions::erase(tx, &node, now, &token)?;
            Ok(text!("Det, du skrev, er slettet.", "What you wrote is erased."))
        }
    });
    let page = done.await.map(|words: Text| {
        let title = text!("Det er gjort", "Done");
        HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language)))
    });
    HtmlPage::of(page, language)
}
