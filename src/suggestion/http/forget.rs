//! Whoever made a suggestion takes it back, or only their address, by the link in the mail.

use crate::access::Context;
use crate::kernel::{Text, text};
use crate::mail::Prose;
use crate::suggestion::actions;
use crate::web::{ForgetDeed, ForgetForm, HtmlPage, Problem, with_forget_buttons};
use actix_web::{get, post, web};

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
        let stop = suggestion.email.is_some().then(|| text!("Slet kun min adresse", "Erase my address alone"));
        with_forget_buttons(page, &action, stop, language)
    });
    HtmlPage::of(page, language)
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
    let deed = form.deed;
    let done = context.db.write(move |tx| match deed {
        ForgetDeed::Stop => actions::forget_address(tx, &node, now, &token),
        ForgetDeed::Erase => actions::erase(tx, &node, now, &token),
    });
    HtmlPage::of(done.await.map(|()| deed.done_page(language)), language)
}
