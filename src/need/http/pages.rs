//! An inbox's own address, for a phone in somebody's pocket: two minutes, and done.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::door::{Door, NewNeed, door, leave, personal};
use crate::access::Context;
use crate::kernel::{Fit, Flaws, Id, Language, Network, Text, text};
use crate::mail::Prose;
use crate::need::model::MOST_WORDS;
use crate::need::{HowOften, Per, actions};
use crate::web::{Field, HtmlPage, Problem};

/// What the page's form sends. Numbers come as people write them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = NeedForm)]
pub(super) struct Form {
    what: String,
    #[serde(rename = "how_often.times")]
    times: String,
    #[serde(rename = "how_often.per")]
    per: Per,
    #[serde(rename = "how_often.minutes")]
    minutes: String,
    #[serde(rename = "how_often.people")]
    people: String,
    who: String,
    today: String,
    department: String,
    email: String,
    /// Set once the warning about personal data was shown.
    warned: String,
}

impl Form {
    /// The need as it would have come in JSON.
    ///
    /// # Errors
    /// 422 with every flaw at once.
    fn read(&self, language: Language) -> Result<Fit<NewNeed>, Problem> {
        let mut flaws = Flaws::default();
        let mut number = |pointer: &str, written: &str| -> Option<f64> {
            let written = written.trim().replace(',', ".");
            if written.is_empty() {
                return None;
            }
            let number = written.parse().ok();
            if number.is_none() {
                flaws.add(
                    pointer,
                    "not_a_number",
                    text!("Skriv et tal, fx 4 eller 2,5", "Write a number, e.g. 4 or 2.5"),
                );
            }
            number
        };
        let times = number("/how_often/times", &self.times);
        let minutes = number("/how_often/minutes", &self.minutes);
        let people = number("/how_often/people", &self.people);
        if people.is_some_and(|people| people.fract() != 0.0 || !(1.0..=10_000.0).contains(&people)) {
            flaws.add(
                "/how_often/people",
                "out_of_range",
                text!("Et helt antal, mindst 1", "A whole number, at least 1"),
            );
        }
        if times.is_none() && flaws.0.is_empty() && (minutes.is_some() || people.is_some()) {
            flaws.add("/how_often/times", "required", text!("Skriv også, hvor mange gange", "Say how many times, too"));
        }
        let people = people.and_then(|people| format!("{people:.0}").parse().ok());
        let new = NewNeed {
            what: self.what.clone(),
            how_often: times.map(|times| HowOften { times, per: self.per, minutes, people }),
            who: self.who.clone(),
            today: self.today.clone(),
            department: self.department.clone(),
            email: Some(self.email.clone()),
            language: Some(language),
        };
        match Fit::check(new) {
            Ok(fit) if flaws.0.is_empty() => Ok(fit),
            Ok(_) => Err(flaws.into()),
            Err(more) => Err(Flaws(more.0.into_iter().chain(flaws.0).collect()).into()),
        }
    }
}

/// The page of an inbox: what it asks, a form, and what others left there that the body shares.
#[utoipa::path(tag = "needs", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 404, body = String, content_type = "text/html")))]
#[get("/behov/{address}")]
pub(super) async fn show_needs_inbox(context: Context, address: web::Path<String>) -> Result<HtmlPage, Problem> {
    let shown = context.db.read({
        let address = address.clone();
        move |connection| door(connection, &address)
    });
    let page = shown.await.map(|door| whole(&door, &address, &Form::default(), None));
    HtmlPage::of(page, context.language)
}

/// What the page's button does: leaves the need. What cannot be taken is shown again with what is wrong beside it.
#[utoipa::path(tag = "needs", security(()), request_body(content = Form, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, body = String, content_type = "text/html"), (status = 409, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html"), (status = 429, body = String, content_type = "text/html")))]
#[post("/behov/{address}")]
pub(super) async fn press_needs_inbox(
    context: Context,
    network: Network,
    address: web::Path<String>,
    form: web::Form<Form>,
) -> Result<HtmlPage, Problem> {
    let done = press(&context, &network, address.into_inner(), form.into_inner()).await;
    HtmlPage::of(done, context.language)
}

async fn press(context: &Context, network: &Network, address: String, form: Form) -> Result<HtmlPage, Problem> {
    let looked_at = address.clone();
    let shown = context.db.read(move |connection| door(connection, &looked_at)).await?;
    let language = shown.language;
    let new = match form.read(language) {
        Ok(new) => new,
        Err(problem) => return Ok(whole(&shown, &address, &form, Some(&problem))),
    };
    let personal = personal(&new.told());
    if !personal.is_empty() && form.warned.is_empty() {
        let mut flaws = Flaws::default();
        for trace in personal {
            flaws.add("/what", trace.word(), trace.words());
        }
        let ask = text!(
            "Peger teksten på en person? Ret den, eller send den, som den er, med knappen igen",
            "Do the words point to a person? Change them, or send them as they are with the button again"
        );
        let problem = Problem { detail: ask, ..flaws.into() };
        let form = Form { warned: "yes".to_owned(), ..form };
        return Ok(whole(&shown, &address, &form, Some(&problem)));
    }
    match leave(context, network, address.clone(), new).await {
        Ok(need) => Ok(thanks(&shown, &address, &actions::follow_url(context, need.id, context.now))),
        Err(problem) if problem.status.is_client_error() => Ok(whole(&shown, &address, &form, Some(&problem))),
        Err(problem) => Err(problem),
    }
}

fn thanks(door: &Door, address: &str, follow_url: &str) -> HtmlPage {
    let say = |text: Text| text.to(door.language).to_owned();
    let body = &door.organisation;
    let prose = Prose::default()
        .paragraph(say(text!(
            "{body} har fået dit behov. Det bliver læst og samlet med andre, der ligner.",
            "{body} has your need. It will be read and gathered with others like it."
        )))
        .link(say(text!("Se senere, hvad der blev af det", "See later what became of it")), follow_url)
        .paragraph(say(text!(
            "Gem linket, hvis du vil følge med eller slette behovet. Det er det eneste spor til dig, medmindre du skrev en mailadresse.",
            "Keep the link if you want to follow it or erase it. It is the only trace of you, unless you left an e-mail address."
        )))
        .link(say(text!("Skriv et til", "Write another")), format!("/behov/{address}"));
    HtmlPage::new(door.language, say(text!("Tak", "Thank you")), &prose)
}

/// The whole page, with what was typed and what was wrong with it.
fn whole(door: &Door, address: &str, form: &Form, wrong: Option<&Problem>) -> HtmlPage {
    let say = |text: Text| text.to(door.language).to_owned();
    let prose = Prose::default().paragraph(&door.asks).fact(say(text!("Fra", "From")), &door.organisation);
    if !door.open {
        let closed = say(text!("Indbakken er lukket.", "The inbox is closed."));
        return HtmlPage::new(door.language, &door.title, &prose.paragraph(closed));
    }
    let prose = prose.paragraph(say(text!(
        "To minutter er nok. Skriv ikke navne, CPR-numre eller andet, der kan genkendes. Du behøver ikke sige, hvem du er.",
        "Two minutes are enough. Leave out names, CPR numbers and whatever can be recognised. You need not say who you are."
    )));
    let page = HtmlPage::new(door.language, &door.title, &prose);
    let page = match wrong {
        Some(problem) => page.refused(problem),
        None => page,
    };
    let pers = [Per::Day, Per::Week, Per::Month].map(|per| (word(per), say(per.words())));
    let pers: Vec<(&str, &str)> = pers.iter().map(|(word, words)| (*word, words.as_str())).collect();
    let label = |text: Text| say(text);
    let fields = [
        Field::Hidden { name: "warned", value: &form.warned },
        Field::Area {
            name: "what",
            label: &label(text!("Hvad sker der?", "What happens?")),
            value: &form.what,
            most: MOST_WORDS,
        },
        Field::Number {
            name: "how_often.times",
            label: &label(text!("Hvor mange gange?", "How many times?")),
            value: &form.times,
        },
        Field::Choice {
            name: "how_often.per",
            label: &label(text!("… om dagen, ugen eller måneden?", "… a day, a week or a month?")),
            options: &pers,
            chosen: word(form.per),
        },
        Field::Number {
            name: "how_often.minutes",
            label: &label(text!(
                "Hvor mange minutter tager det hver gang?",
                "How many minutes does it take each time?"
            )),
            value: &form.minutes,
        },
        Field::Number {
            name: "how_often.people",
            label: &label(text!("Hvor mange af jer skal der til?", "How many of you does it take?")),
            value: &form.people,
        },
        Field::Line {
            name: "who",
            label: &label(text!("Hvem går det ud over?", "Whom does it trouble?")),
            value: &form.who,
        },
        Field::Area {
            name: "today",
            label: &label(text!("Hvad gør I ved det i dag?", "What do you do about it today?")),
            value: &form.today,
            most: MOST_WORDS,
        },
        Field::Line {
            name: "department",
            label: &label(text!("Afdeling (hvis du vil)", "Department (if you like)")),
            value: &form.department,
        },
        Field::Email {
            name: "email",
            label: &label(text!(
                "Mailadresse (kun hvis du vil høre, hvad der bliver af det)",
                "E-mail address (only if you want to hear what becomes of it)"
            )),
            value: &form.email,
        },
    ];
    let page = page.form(&format!("/behov/{address}"), &fields, &say(text!("Send", "Send")));
    if door.shared.is_empty() {
        return page;
    }
    let heading = Prose::default().heading(say(text!("Har I det også?", "Do you have it too?")));
    door.shared.iter().fold(page.words(&heading), |page, need| {
        let count = need.recognitions;
        let others = match count {
            0 => Text { da: String::new(), en: String::new() },
            1 => text!(" (1 mere har det)", " (1 more has it)"),
            _ => text!(" ({count} flere har det)", " ({count} more have it)"),
        };
        let words = format!("{}{}", need.what, say(others));
        page.words(&Prose::default().paragraph(words)).form(
            &format!("/behov/{address}/det-har-vi-ogsaa"),
            &[
                Field::Hidden { name: "need_id", value: &need.id.to_string() },
                Field::Line {
                    name: "department",
                    label: &say(text!("Hvilken afdeling?", "Which department?")),
                    value: "",
                },
            ],
            &say(text!("Det har vi også", "We have it too")),
        )
    })
}

fn word(per: Per) -> &'static str {
    match per {
        Per::Day => "day",
        Per::Week => "week",
        Per::Month => "month",
    }
}

/// Which department has a shared need too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NeedRecognitionForm)]
pub(super) struct RecognitionForm {
    #[schema(value_type = String, format = "uuid")]
    need_id: Id<crate::need::Need>,
    department: String,
}

/// What the button below a shared need does: says that a department has it too.
#[utoipa::path(tag = "needs", security(()), request_body(content = RecognitionForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, body = String, content_type = "text/html"), (status = 409, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html"), (status = 429, body = String, content_type = "text/html")))]
#[post("/behov/{address}/det-har-vi-ogsaa")]
pub(super) async fn press_need_recognition(
    context: Context,
    network: Network,
    address: web::Path<String>,
    form: web::Form<RecognitionForm>,
) -> Result<HtmlPage, Problem> {
    let done = recognise(&context, &network, address.into_inner(), form.into_inner()).await;
    HtmlPage::of(done, context.language)
}

async fn recognise(
    context: &Context,
    network: &Network,
    address: String,
    form: RecognitionForm,
) -> Result<HtmlPage, Problem> {
    let looked_at = address.clone();
    let shown = context.db.read(move |connection| door(connection, &looked_at)).await?;
    let RecognitionForm { need_id, mut department } = form;
    let mut flaws = Flaws::default();
    flaws.open_prose("/department", &mut department, 1, 120);
    if !flaws.0.is_empty() {
        let detail = text!("Skriv, hvilken afdeling der har det", "Say which department has it");
        return Err(Problem { detail, ..flaws.into() });
    }
    context.knock(&format!("needs/{address}"), network)?;
    let (now, back) = (context.now, format!("/behov/{address}"));
    context.db.write(move |tx| actions::recognise_at(tx, now, &address, need_id, department, None)).await?;
    let say = |text: Text| text.to(shown.language).to_owned();
    let prose = Prose::default()
        .paragraph(say(text!("Det tæller med.", "It counts.")))
        .link(say(text!("Tilbage til indbakken", "Back to the inbox")), back);
    Ok(HtmlPage::new(shown.language, say(text!("Tak", "Thank you")), &prose))
}
