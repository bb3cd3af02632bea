//! The open page of a call, with its criteria in plain words before the field; and the page that confirms.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{NewSuggestion, confirm, suggest};
use crate::access::Context;
use crate::criteria::{self, Call, Criterion};
use crate::db::AnyConnection;
use crate::kernel::privacy::traces;
use crate::kernel::{Fit, Flaws, Id, Instant, Language, Network, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::suggestion::actions;
use crate::web::{Field, HtmlPage, PathId, Problem};

/// What the page's form sends.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = SuggestionForm)]
pub(super) struct Form {
    what: String,
    who: String,
    place: String,
    email: String,
    /// Set once the warning about personal data was shown.
    warned: String,
}

impl Form {
    fn read(&self, language: Language) -> Result<Fit<NewSuggestion>, Problem> {
        let new = NewSuggestion {
            what: self.what.clone(),
            who: self.who.clone(),
            place: self.place.clone(),
            email: self.email.clone(),
            language,
        };
        Ok(Fit::check(new)?)
    }
}

/// A call that takes suggestions, with its criteria.
fn look(connection: &mut AnyConnection, now: Instant, id: Id<Call>) -> Result<(Call, Vec<Criterion>), Problem> {
    let call = actions::open_call(connection, now, id)?;
    let set = criteria::store::newest(connection, &call.body.criteria_set)?;
    Ok((call, set.map(|set| set.body.criteria).unwrap_or_default()))
}

/// The open page of a call: what it asks for, its criteria in plain words, and the field.
#[utoipa::path(tag = "suggestions", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json"))), (status = 409, body = String, content_type = "text/html")))]
#[get("/forslag/{id}")]
pub(super) async fn show_call_page(context: Context, id: PathId<Call>) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let found = context.db.read(move |connection| look(connection, now, id.0)).await;
    HtmlPage::of(found.map(|found| whole(&found, language, &Form::default(), None)), language)
}

/// What the page's button does: takes the suggestion and asks by mail to confirm it. What cannot be taken is shown again with
/// what is wrong beside it.
#[utoipa::path(tag = "suggestions", security(()), request_body(content = Form, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json"))), (status = 409, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html"), (status = 429, body = String, content_type = "text/html")))]
#[post("/forslag/{id}")]
pub(super) async fn press_call_page(
    context: Context,
    network: Network,
    id: PathId<Call>,
    form: web::Form<Form>,
) -> Result<HtmlPage, Problem> {
    let done = press(&context, &network, id.0, form.into_inner()).await;
    HtmlPage::of(done, context.language)
}

async fn press(context: &Context, network: &Network, id: Id<Call>, form: Form) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let found = context.db.read(move |connection| look(connection, now, id)).await?;
    let again = |form: &Form, problem: &Problem| whole(&found, language, form, Some(problem));
    let new = match form.read(language) {
        Ok(new) => new,
        Err(problem) => return Ok(again(&form, &problem)),
    };
    let personal = traces(&[form.what.as_str(), &form.who, &form.place].join("\n"));
    if !personal.is_empty() && form.warned.is_empty() {
        let mut flaws = Flaws::default();
        personal.into_iter().for_each(|trace| flaws.add("/what", trace.word(), trace.words()));
        let detail = text!(
            "Peger teksten på en person? Ret den, eller send den, som den er, med knappen igen",
            "Do the words point to a person? Change them, or send them as they are with the button again"
        );
        let form = Form { warned: "yes".to_owned(), ..form };
        return Ok(again(&form, &Problem { detail, ..flaws.into() }));
    }
    match suggest(context, network, id, new).await {
        Ok(()) => {
            let words = text!(
                "Vi har sendt dig en mail. Bekræft forslaget via linket i den inden 7 dage, så når det frem til CO-PI.",
                "A mail is on its way to you. Confirm the suggestion by its link within 7 days, and it reaches CO-PI."
            );
            let title = text!("Se i din mail", "Look in your mail");
            Ok(HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language))))
        }
        Err(problem) if problem.status.is_client_error() => Ok(again(&form, &problem)),
        Err(problem) => Err(problem),
    }
}

fn whole(
    (call, criteria): &(Call, Vec<Criterion>),
    language: Language,
    form: &Form,
    wrong: Option<&Problem>,
) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let prose = Prose::default().paragraph(&call.body.description);
    let prose = match call.body.closes_at {
        Some(closes_at) => prose.fact(say(text!("Åben til", "Open until")), say(copenhagen_text(closes_at))),
        None => prose,
    };
    let prose = prose.paragraph(say(text!("Det ser CO-PI efter:", "What CO-PI looks for:")));
    let prose = criteria.iter().fold(prose, |prose, criterion| prose.item(say(criterion.plain())));
    let prose = prose.paragraph(say(text!(
        "Du behøver ikke kunne svare på det hele. Skriv ikke navne, CPR-numre eller andet, der kan genkendes.",
        "You need not be able to answer all of it. Leave out names, CPR numbers and whatever can be recognised."
    )));
    let page = HtmlPage::new(language, &call.body.title, &prose);
    let page = match wrong {
        Some(problem) => page.refused(problem),
        None => page,
    };
    let fields = [
        Field::Hidden { name: "warned", value: &form.warned },
        Field::Area {
            name: "what",
            label: &say(text!("Hvad er problemet?", "What is the problem?")),
            value: &form.what,
            most: 4000,
        },
        Field::Line {
            name: "who",
            label: &say(text!("Hvem går det ud over?", "Whom does it trouble?")),
            value: &form.who,
        },
        Field::Line {
            name: "place",
            label: &say(text!(
                "Hvor har du mødt det? (kommune, hospital …)",
                "Where did you meet it? (municipality, hospital …)"
            )),
            value: &form.place,
        },
        Field::Email {
            name: "email",
            label: &say(text!(
                "Din mailadresse (den slettes, når forslaget er afgjort)",
                "Your e-mail address (erased when the suggestion is settled)"
            )),
            value: &form.email,
        },
    ];
    page.form(&format!("/forslag/{}", call.id), &fields, &say(text!("Send forslaget", "Send the suggestion")))
}

/// The page behind the link in the confirmation mail; shows a button and changes nothing.
#[utoipa::path(tag = "suggestions", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/suggestions/confirm/{token}")]
pub(super) async fn show_suggestion_confirmation(context: Context, token: web::Path<String>) -> HtmlPage {
    let say = |text: Text| text.to(context.language).to_owned();
    let words =
        text!("Tryk på knappen for at sende forslaget til CO-PI.", "Press the button to send the suggestion to CO-PI.");
    let title = say(text!("Bekræft dit forslag", "Confirm your suggestion"));
    HtmlPage::new(context.language, title, &Prose::default().paragraph(say(words))).form(
        &format!("/api/v1/suggestions/confirm/{token}"),
        &[],
        &say(text!("Ja, send forslaget", "Yes, send the suggestion")),
    )
}

/// What the page's button does: confirms the suggestion.
#[utoipa::path(tag = "suggestions", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/suggestions/confirm/{token}")]
pub(super) async fn press_suggestion_confirmation(
    context: Context,
    token: web::Path<String>,
) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let done = confirm(&context, token.into_inner()).await.map(|()| {
        let words = text!(
            "CO-PI har fået forslaget. Du får en mail, når det er afgjort, om nogen går videre med det.",
            "CO-PI has the suggestion. A mail comes when it is settled whether somebody goes on with it."
        );
        let title = text!("Tak", "Thank you");
        HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language)))
    });
    HtmlPage::of(done, language)
}
