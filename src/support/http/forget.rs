//! Whoever asked for support takes it back, or only their address, by the link in the mail.

use crate::access::Context;
use crate::kernel::{Text, text};
use crate::mail::Prose;
use crate::support::actions;
use crate::web::{ForgetDeed, ForgetForm, HtmlPage, Problem, with_forget_buttons};
use actix_web::{get, post, web};

/// The page behind the link to be forgotten: what was asked, and what can be erased. Showing it changes nothing.
#[utoipa::path(tag = "support", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/support-requests/forget/{token}")]
pub(super) async fn show_support_to_forget(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let named = token.clone();
    let found = context.db.read(move |connection| actions::forgettable(connection, &node, now, &named)).await;
    let page = found.map(|request| {
        let say = |text: Text| text.to(language).to_owned();
        let prose = Prose::default()
            .fact(say(text!("Du bad om", "You asked for")), say(request.ask.kind.name()))
            .paragraph(&request.ask.text);
        let page = HtmlPage::new(language, say(text!("Dit spørgsmål til CO-PI", "Your question to CO-PI")), &prose);
        let action = format!("/api/v1/support-requests/forget/{token}");
        let stop = request.email.is_some().then(|| text!("Slet kun min adresse", "Erase my address alone"));
        with_forget_buttons(page, &action, stop, language)
    });
    HtmlPage::of(page, language)
}

/// What the buttons of the page do: forget the address, or the request with it.
#[utoipa::path(tag = "support", security(()), request_body(content = ForgetForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/support-requests/forget/{token}")]
pub(super) async fn press_support_to_forget(
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
