//! The page where a subscriber sees and changes a subscription: the link stands in every letter.

use actix_web::{get, post, web};

use super::Typed;
use super::filter::{Offered, as_typed, body, form, in_form, look, show};
use crate::access::Context;
use crate::kernel::{Language, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::subscription::{Filter, Names, State, Subscription, SubscriptionBody, actions, store};
use crate::web::{HtmlPage, Problem};

/// The page of the subscription that the link names, with all that is kept of it.
#[utoipa::path(tag = "pages", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 404, body = String, content_type = "text/html")))]
#[get("/subscriptions/{manage_token}")]
pub(super) async fn show_subscription(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let token = token.into_inner();
    let page = match find(&context, &token).await {
        Ok(found) => {
            let typed = as_typed(&found.subscription.body);
            let drawn = found.head(&Prose::default());
            found.foot(&context, drawn, &token, &typed).await
        }
        Err(problem) => Err(problem),
    };
    HtmlPage::of(page, context.language)
}

/// What the page's buttons do: change, preview, unsubscribe, resume, erase.
#[utoipa::path(tag = "pages", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded", example = json!("deed=change&frequency=daily&language=da&cpv=33000000")), responses((status = 200, body = String, content_type = "text/html"), (status = 404, body = String, content_type = "text/html"), (status = 422, content((String = "text/html"), (Object = "application/problem+json")))))]
#[post("/subscriptions/{manage_token}")]
pub(super) async fn press_subscription(
    context: Context,
    token: web::Path<String>,
    sent: web::Form<Vec<(String, String)>>,
) -> Result<HtmlPage, Problem> {
    let (token, typed) = (token.into_inner(), Typed(sent.into_inner()));
    HtmlPage::of(press(&context, &token, &typed).await, context.language)
}

async fn press(context: &Context, token: &str, typed: &Typed) -> Result<HtmlPage, Problem> {
    let (node, now, managing) = (context.node.clone(), context.now, token.to_owned());
    let done = match typed.get("deed") {
        "preview" => {
            let found = find(context, token).await?;
            let drawn = found.head(&Prose::default());
            let drawn = match look(context, typed).await {
                Ok(preview) => show(drawn, &preview, found.language()),
                Err(problem) => drawn.refused(&in_form(client(problem)?)),
            };
            return found.foot(context, drawn, token, typed).await;
        }
        "change" => change(context, token, typed).await.map(|()| text!("Gemt.", "Saved.")),
        "unsubscribe" => {
            let leave = move |tx: &mut crate::db::Tx<'_>| {
                let subscription = actions::managed(tx.connection, &node, now, &managing)?;
                actions::leave(tx, now, subscription)
            };
            context.db.write(leave).await.map(|()| text!("Du får ikke flere mails.", "No more mail comes."))
        }
        "resume" => {
            let source = "POST /subscriptions/{manage_token}";
            let resume = move |tx: &mut crate::db::Tx<'_>| actions::resume(tx, &node, now, &managing, source);
            context.db.write(resume).await.map(|_| text!("Du får mails igen.", "Mail comes again."))
        }
        "erase" => {
            context.db.write(move |tx| actions::erase(tx, &node, now, &managing)).await?;
            let words = text!("Dine oplysninger er slettet.", "Your data is erased.");
            let title = text!("Det er gjort", "Done");
            let language = context.language;
            return Ok(HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language))));
        }
        _ => Err(Problem::unfit("/deed", "unknown", text!("Vælg, hvad der skal ske", "Choose what is to be done"))),
    };
    let found = find(context, token).await?;
    match done {
        Ok(words) => {
            let drawn = found.head(&Prose::default().paragraph(words.to(found.language())));
            found.foot(context, drawn, token, &as_typed(&found.subscription.body)).await
        }
        Err(problem) => {
            let drawn = found.head(&Prose::default()).refused(&in_form(client(problem)?));
            found.foot(context, drawn, token, typed).await
        }
    }
}

/// A problem that a form can be shown again with.
fn client(problem: Problem) -> Result<Problem, Problem> {
    if problem.status.is_client_error() { Ok(problem) } else { Err(problem) }
}

async fn change(context: &Context, token: &str, typed: &Typed) -> Result<(), Problem> {
    let (node, now, token) = (context.node.clone(), context.now, token.to_owned());
    let body = body(typed)?;
    let deed = move |tx: &mut crate::db::Tx<'_>| {
        actions::change(tx, &node, now, &token, None, |before| {
            require_a_wish(before, &body)?;
            Ok(body)
        })
    };
    context.db.write(deed).await.map(drop)
}

/// Who follows one dialogue and lets go of it does not want all the others.
fn require_a_wish(before: &SubscriptionBody, after: &SubscriptionBody) -> Result<(), Problem> {
    if before.filter.dialogue_ids.is_empty() || !after.filter.is_empty() {
        return Ok(());
    }
    let detail = text!(
        "Uden noget at følge ville alle markedsdialoger komme. Udfyld noget andet, eller tryk på Frameld",
        "With nothing to follow all market dialogues would come. Fill in something else, or press Unsubscribe"
    );
    Err(Problem::unfit("/dialogue_id", "required", detail))
}

/// A subscription, and the others of its address.
struct Managed {
    subscription: Subscription,
    others: Vec<(Subscription, String)>,
    names: Names,
}

async fn find(context: &Context, token: &str) -> Result<Managed, Problem> {
    let (node, now, token) = (context.node.clone(), context.now, token.to_owned());
    let read = context.db.read(move |connection| {
        let subscription = actions::managed(connection, &node, now, &token)?;
        let mut all = store::of_address(connection, &subscription.email)?;
        let names = actions::names(connection, &all, now)?;
        all.retain(|one| one.id != subscription.id && !matches!(one.state, State::Unconfirmed));
        let path = |one: &Subscription| format!("/subscriptions/{}", actions::manage_token(&node, one.id));
        let others = all.into_iter().map(|one| (path(&one), one)).map(|(path, one)| (one, path)).collect();
        Ok::<_, Problem>(Managed { subscription, others, names })
    });
    read.await
}

impl Managed {
    fn language(&self) -> Language {
        self.subscription.body.language
    }

    /// What the subscription is, below some news.
    fn head(&self, news: &Prose) -> HtmlPage {
        let language = self.language();
        let say = |text: Text| text.to(language).to_owned();
        let Subscription { email, consent, .. } = &self.subscription;
        let (given, given_at) = (&consent.text, copenhagen_text(consent.at).to(language).to_owned());
        let prose = news
            .clone()
            .fact(say(text!("Mailadresse", "E-mail")), email.as_str())
            .fact(say(text!("Status", "Status")), say(status(&self.subscription)))
            .fact(say(text!("Du sagde ja til", "You agreed to")), format!("{given} ({given_at})"));
        let prose = self.wishes(&self.subscription.body.filter).into_iter().fold(prose, Prose::item);
        HtmlPage::new(language, say(text!("Dit abonnement", "Your subscription")), &prose)
    }

    fn wishes(&self, filter: &Filter) -> Vec<String> {
        filter.words(&self.names).iter().map(|line| line.to(self.language()).to_owned()).collect()
    }

    /// The forms, and the ways to the other subscriptions.
    async fn foot(&self, context: &Context, drawn: HtmlPage, token: &str, typed: &Typed) -> Result<HtmlPage, Problem> {
        let language = self.language();
        let say = |text: Text| text.to(language).to_owned();
        let action = format!("/subscriptions/{token}");
        let offered = Offered::find(context, typed, &self.subscription.body.filter.dialogue_ids).await?;
        let hint = text!(
            "Udfyld kun det, der er vigtigt for dig; et tomt filter giver alle markedsdialoger.",
            "Fill in only what matters to you; an empty filter brings all market dialogues."
        );
        let deeds = [
            ("change", text!("Gem", "Save")),
            ("preview", text!("Vis, hvad filteret ville have givet", "Show what the filter would have brought")),
        ];
        let drawn = drawn
            .section("change", &say(text!("Ret abonnementet", "Change the subscription")))
            .words(&Prose::default().paragraph(say(hint)));
        let drawn = form(drawn, &action, false, typed, &offered, &deeds, language);
        let end = text!("Hold pause, eller stop", "Pause, or leave");
        let words = text!(
            "Frameld stopper mails; du kan begynde igen her. Slet fjerner adressen og filteret for altid.",
            "Unsubscribe stops mail; you can begin again here. Erase removes the address and the filter for good."
        );
        let erase = ("erase", text!("Slet mine oplysninger", "Erase my data"));
        let deeds = match self.subscription.state {
            State::Confirmed { .. } => vec![("unsubscribe", text!("Frameld", "Unsubscribe")), erase],
            State::Unsubscribed { .. } => vec![("resume", text!("Begynd igen", "Begin again")), erase],
            State::Unconfirmed => vec![erase],
        };
        let deeds: Vec<(&str, &str)> = deeds.iter().map(|(deed, words)| (*deed, words.to(language))).collect();
        let drawn = drawn.section("leave", &say(end)).words(&Prose::default().paragraph(say(words))).form_of_deeds(
            &action,
            &[],
            &deeds,
        );
        let more = text!("Flere abonnementer til denne adresse", "More subscriptions to this address");
        let other = |(one, path): &(Subscription, String)| {
            let (wishes, status) = (self.wishes(&one.body.filter).join("; "), status(one));
            (format!("{wishes} ({})", status.to(language)), path.clone())
        };
        let mut links: Vec<(String, String)> = self.others.iter().map(other).collect();
        links.push((say(text!("Tilføj et filter mere", "Add one more filter")), "/subscribe".to_owned()));
        Ok(drawn.section("others", &say(more)).links(&links))
    }
}

fn status(subscription: &Subscription) -> Text {
    match subscription.state {
        State::Unconfirmed => text!("ikke bekræftet endnu", "not confirmed yet"),
        State::Confirmed { .. } => text!("aktivt", "active"),
        State::Unsubscribed { .. } => text!("stoppet", "stopped"),
    }
}
