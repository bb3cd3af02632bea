//! What a supplier does on a dialogue's page: ask, sign up, answer, follow.

use actix_web::{post, web};
use serde_json::{Map, Value, json};

use super::dialogue::Shown;
use super::{Typed, page};
use crate::access::Context;
use crate::dialogue::actions;
use crate::dialogue::http::answers::WrittenAnswerBody;
use crate::dialogue::http::events::SignupBody;
use crate::dialogue::http::questions::QuestionBody;
use crate::dialogue::{Dialogue, Event, WrittenAnswer};
use crate::kernel::{Email, Fit, Fitting, Flaws, Id, Instant, Language, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::subscription::{self, Filter, Frequency, SubscriptionBody};
use crate::web::{Field, HtmlPage, PathId, Problem, read_value};

/// The forms.
#[derive(Clone, Copy)]
enum Form {
    Question,
    Signup,
    WrittenAnswer,
    Follow,
}

/// All forms that the dialogue takes now, with nothing typed.
pub(super) fn all(mut drawn: HtmlPage, shown: &Shown, language: Language) -> HtmlPage {
    let takes_questions = shown.dialogue.takes_questions(shown.now);
    let forms = [
        (Form::Question, takes_questions),
        (Form::Signup, !coming(shown).is_empty()),
        (Form::WrittenAnswer, true),
        (Form::Follow, true),
    ];
    for (form, _) in forms.into_iter().filter(|(_, open)| *open) {
        let (id, title) = form.heading();
        drawn = form.draw(drawn.section(id, title.to(language)), shown, &Typed::NOTHING, language);
    }
    if !takes_questions {
        let words = text!("Fristen for spørgsmål er udløbet.", "The deadline for questions has passed.");
        drawn = drawn.words(&Prose::default().paragraph(words.to(language)));
    }
    drawn
}

/// The events that can be signed up to.
fn coming(shown: &Shown) -> Vec<&Event> {
    shown.dialogue.notice.events.iter().filter(|event| event.starts_at > shown.now).collect()
}

impl Form {
    fn heading(self) -> (&'static str, Text) {
        match self {
            Self::Question => ("ask", text!("Stil et spørgsmål", "Ask a question")),
            Self::Signup => ("sign-up", text!("Tilmeld dig et møde", "Sign up to an event")),
            Self::WrittenAnswer => ("answer", text!("Svar skriftligt", "Answer in writing")),
            Self::Follow => ("follow", text!("Følg dialogen på mail", "Follow the dialogue by mail")),
        }
    }

    fn draw(self, drawn: HtmlPage, shown: &Shown, typed: &Typed, language: Language) -> HtmlPage {
        let say = |text: Text| text.to(language).to_owned();
        let (path, get) = (shown.path(), |name: &'static str| typed.get(name));
        let email = say(text!("Din mailadresse", "Your e-mail address"));
        let email = Field::Email { name: "email", label: &email, value: get("email") };
        match self {
            Self::Question => {
                let words = text!(
                    "Spørgsmål og svar vises for alle. Dit navn og din adresse vises ikke. Du bekræfter spørgsmålet via et \
                     link i en mail.",
                    "Question and answer are shown to everybody. Your name and address are not. You confirm the question \
                     by a link in a mail."
                );
                let label = say(text!("Dit spørgsmål", "Your question"));
                let question = Field::Area { name: "text", label: &label, value: get("text"), most: 2000 };
                let button = say(text!("Send spørgsmålet", "Send the question"));
                drawn.words(&Prose::default().paragraph(say(words))).form(
                    &format!("{path}/questions"),
                    &[email, question],
                    &button,
                )
            }
            Self::Signup => signup(drawn, shown, typed, email, language),
            Self::WrittenAnswer => written_answer(drawn, shown, typed, email, language),
            Self::Follow => {
                let words = text!(
                    "Du får en mail, når dialogen ændres, når et spørgsmål bliver besvaret, og når den slutter. Du kan \
                     framelde dig med ét klik.",
                    "You get a mail when the dialogue changes, when a question is answered, and when it ends. You can \
                     leave with one click."
                );
                let button = say(text!("Følg dialogen", "Follow the dialogue"));
                drawn.words(&Prose::default().paragraph(say(words))).form(&format!("{path}/follow"), &[email], &button)
            }
        }
    }
}

fn signup(drawn: HtmlPage, shown: &Shown, typed: &Typed, email: Field<'_>, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let words = text!(
        "En ledig plads holdes til dig i en time. Den er din, når du har bekræftet via linket i mailen. Er der fuldt, \
         kommer du på ventelisten.",
        "A free seat is kept for you for an hour. It is yours once you confirmed by the link in the mail. If all are \
         taken, you join the waiting list."
    );
    let places = places(shown, language);
    let places: Vec<(&str, &str)> = places.iter().map(|(value, words)| (value.as_str(), words.as_str())).collect();
    let labels = [
        text!("Møde", "Event"),
        text!("Virksomhed", "Company"),
        text!("CVR-nummer (frivilligt)", "CVR number (optional)"),
        text!("Hvem kommer", "Who comes"),
    ]
    .map(say);
    let [event, company, cvr, name] = &labels;
    let fields = [
        Field::Choice { name: "place", label: event, options: &places, chosen: typed.get("place") },
        Field::Line { name: "company", label: company, value: typed.get("company") },
        Field::Line { name: "cvr", label: cvr, value: typed.get("cvr") },
        Field::Line { name: "name", label: name, value: typed.get("name") },
        email,
    ];
    drawn.words(&Prose::default().paragraph(say(words))).form(
        &format!("{}/signups", shown.path()),
        &fields,
        &say(text!("Tilmeld", "Sign up")),
    )
}

/// What can be signed up to: an event, or one talk of it. The value is the event's id, and the talk's beginning after `@`.
fn places(shown: &Shown, language: Language) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for event in coming(shown) {
        let Some(id) = event.id else { continue };
        let title = &event.title;
        let Text { da, en } = copenhagen_text(event.starts_at);
        let slots = event.slots();
        if slots.is_empty() {
            places.push((id.to_string(), text!("{title}, {da}", "{title}, {en}").to(language).to_owned()));
            continue;
        }
        let words = text!("{title}: første ledige tid", "{title}: the first free time");
        places.push((id.to_string(), words.to(language).to_owned()));
        let of_event = || shown.signups.iter().filter(|one| one.event_id == id && one.takes_seat(shown.now));
        for slot in slots.into_iter().filter(|slot| of_event().all(|one| one.slot != Some(*slot))) {
            let at = copenhagen_text(slot);
            places.push((format!("{id}@{}", slot.to_rfc3339()), format!("{title}: {}", at.to(language))));
        }
    }
    places
}

fn written_answer(drawn: HtmlPage, shown: &Shown, typed: &Typed, email: Field<'_>, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let notice = &shown.dialogue.notice;
    let late = shown.now > notice.answer_deadline;
    let Text { da, en } = copenhagen_text(notice.answer_deadline);
    let words = if late {
        text!(
            "Svarfristen var {da}. Dit svar modtages og mærkes som for sent.",
            "The answer deadline was {en}. Your answer is received and marked as late."
        )
    } else {
        text!(
            "Svarfrist: {da}. Du får en kvittering på mail. Svarene læses af CO-PI og køberne og vises ikke her.",
            "Answer deadline: {en}. A receipt comes by mail. The answers are read by CO-PI and the buyers, and are not \
             shown here."
        )
    };
    let questions = if notice.questions.is_empty() {
        vec![say(text!("Dit svar", "Your answer"))]
    } else {
        notice.questions.clone()
    };
    let names: Vec<String> = (0..questions.len()).map(|index| format!("answers.{index}")).collect();
    let labels = [
        text!("Virksomhed", "Company"),
        text!("CVR-nummer (frivilligt)", "CVR number (optional)"),
        text!("Dit navn", "Your name"),
        text!(
            "Fortroligt: det, som andre ikke må se (frivilligt)",
            "Confidential: what others must not see (optional)"
        ),
    ]
    .map(say);
    let [company, cvr, name, confidential] = &labels;
    let mut fields = vec![
        Field::Line { name: "company", label: company, value: typed.get("company") },
        Field::Line { name: "cvr", label: cvr, value: typed.get("cvr") },
        Field::Line { name: "name", label: name, value: typed.get("name") },
        email,
    ];
    for (name, question) in names.iter().zip(&questions) {
        fields.push(Field::Area { name, label: question, value: typed.get(name), most: 20_000 });
    }
    let value = typed.get("confidential");
    fields.push(Field::Area { name: "confidential", label: confidential, value, most: 20_000 });
    drawn.words(&Prose::default().paragraph(say(words))).form(
        &format!("{}/answers", shown.path()),
        &fields,
        &say(text!("Send svaret", "Send the answer")),
    )
}

type Sent = web::Form<Vec<(String, String)>>;

/// Asks a question from the page; it counts once the link in the mail was used.
#[utoipa::path(tag = "pages", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded", example = json!("email=salg%40firma.example&text=Skal+den+virke+uden+net%3F")), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json"))), (status = 409, body = String, content_type = "text/html"), (status = 422, content((String = "text/html"), (Object = "application/problem+json"))), (status = 429, content((String = "text/html"), (Object = "application/problem+json")))))]
#[post("/dialogues/{id}/questions")]
pub(super) async fn press_question(context: Context, id: PathId<Dialogue>, sent: Sent) -> Result<HtmlPage, Problem> {
    let typed = Typed(sent.into_inner());
    let done = ask(&context, id.0, &typed).await.map(|()| look_in_your_mail());
    reply(&context, id.0, Form::Question, &typed, done).await
}

async fn ask(context: &Context, id: Id<Dialogue>, typed: &Typed) -> Result<(), Problem> {
    let body = read::<QuestionBody>(json!({"email": typed.get("email"), "text": typed.get("text")}))?.into_inner();
    let asked = body.asked(context)?;
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::ask(tx, &node, now, id, asked)).await
}

/// Signs somebody up from the page.
#[utoipa::path(tag = "pages", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded", example = json!("place=0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e&company=Firma+ApS&name=Ane+Holm&email=ane%40firma.example")), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json"))), (status = 409, body = String, content_type = "text/html"), (status = 422, content((String = "text/html"), (Object = "application/problem+json"))), (status = 429, content((String = "text/html"), (Object = "application/problem+json")))))]
#[post("/dialogues/{id}/signups")]
pub(super) async fn press_signup(context: Context, id: PathId<Dialogue>, sent: Sent) -> Result<HtmlPage, Problem> {
    let typed = Typed(sent.into_inner());
    let done = sign_up(&context, id.0, &typed).await.map(|()| look_in_your_mail());
    reply(&context, id.0, Form::Signup, &typed, done).await
}

async fn sign_up(context: &Context, id: Id<Dialogue>, typed: &Typed) -> Result<(), Problem> {
    let place = typed.get("place");
    let (event, slot) = place.split_once('@').map_or((place, None), |(event, slot)| (event, Some(slot)));
    if event.parse::<Id<Event>>().is_err() || slot.is_some_and(|slot| slot.parse::<Instant>().is_err()) {
        return Err(Problem::unfit("/place", "unknown", text!("Vælg et møde", "Choose an event")));
    }
    let body = read::<SignupBody>(json!({"event_id": event, "slot": slot, "company": typed.get("company"),
        "cvr": typed.said("cvr"), "name": typed.get("name"), "email": typed.get("email")}))?
    .into_inner();
    let wish = body.wish(context)?;
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::sign_up(tx, &node, now, id, wish)).await.map(drop)
}

/// Takes a written answer from the page, and shows its receipt.
#[utoipa::path(tag = "pages", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded", example = json!("company=Firma+ApS&name=Ane+Holm&email=ane%40firma.example&answers.0=Det+kan+l%C3%B8ses")), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json"))), (status = 409, body = String, content_type = "text/html"), (status = 422, content((String = "text/html"), (Object = "application/problem+json")))))]
#[post("/dialogues/{id}/answers")]
pub(super) async fn press_written_answer(
    context: Context,
    id: PathId<Dialogue>,
    sent: Sent,
) -> Result<HtmlPage, Problem> {
    let typed = Typed(sent.into_inner());
    let language = context.language;
    let done = receive(&context, id.0, &typed).await.map(|answer| receipt(&answer, language));
    reply(&context, id.0, Form::WrittenAnswer, &typed, done).await
}

async fn receive(context: &Context, id: Id<Dialogue>, typed: &Typed) -> Result<WrittenAnswer, Problem> {
    let answers: Vec<&str> =
        (0..50).map(|index| format!("answers.{index}")).map_while(|name| typed.sent(&name)).collect();
    let body = read::<WrittenAnswerBody>(json!({"company": typed.get("company"), "cvr": typed.said("cvr"),
        "name": typed.get("name"), "email": typed.get("email"), "answers": answers,
        "confidential": typed.said("confidential")}))?
    .into_inner();
    let written = body.written(context)?;
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::receive(tx, &node, now, id, written)).await
}

fn receipt(answer: &WrittenAnswer, language: Language) -> Prose {
    let say = |text: Text| text.to(language).to_owned();
    let in_time = if answer.late {
        text!("nej, efter svarfristen", "no, after the deadline")
    } else {
        text!("ja, inden svarfristen", "yes, before the deadline")
    };
    Prose::default()
        .paragraph(say(text!(
            "Dit svar er modtaget. Kvitteringen kommer også på mail.",
            "Your answer is received. The receipt comes by mail as well."
        )))
        .fact(say(text!("Virksomhed", "Company")), &answer.company)
        .fact(say(text!("Modtaget", "Received")), say(copenhagen_text(answer.received_at)))
        .fact(say(text!("Rettidigt", "In time")), say(in_time))
        .fact("SHA-256", answer.receipt())
}

/// Follows a dialogue from the page; it counts once the link in the mail was used.
#[utoipa::path(tag = "pages", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded", example = json!("email=salg%40firma.example")), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json"))), (status = 422, content((String = "text/html"), (Object = "application/problem+json"))), (status = 429, content((String = "text/html"), (Object = "application/problem+json")))))]
#[post("/dialogues/{id}/follow")]
pub(super) async fn press_follow(context: Context, id: PathId<Dialogue>, sent: Sent) -> Result<HtmlPage, Problem> {
    let typed = Typed(sent.into_inner());
    let done = follow(&context, id.0, &typed).await.map(|()| look_in_your_mail());
    reply(&context, id.0, Form::Follow, &typed, done).await
}

async fn follow(context: &Context, id: Id<Dialogue>, typed: &Typed) -> Result<(), Problem> {
    let now = context.now;
    context.db.read(move |connection| Shown::find(connection, id, now)).await?;
    let email = address(typed.get("email"))?;
    let filter = Filter { dialogue_ids: vec![id], ..Filter::default() };
    let body = SubscriptionBody { language: context.language, frequency: Frequency::Immediate, filter };
    let (node, network) = (context.node.clone(), context.network.clone());
    let source = "POST /dialogues/{id}/follow";
    let subscribe = subscription::actions::subscribe;
    context.db.write(move |tx| subscribe(tx, &node, now, email, body, source, network.as_ref())).await
}

/// An address that was typed.
pub(super) fn address(typed: &str) -> Result<Email, Problem> {
    let mut flaws = Flaws::default();
    let mut written = typed.to_owned();
    flaws.email("/email", &mut written);
    match Email::parse(&written) {
        Some(email) if flaws.0.is_empty() => Ok(email),
        _ => Err(flaws.into()),
    }
}

/// A body as the API takes it, made of what was typed.
fn read<T: serde::de::DeserializeOwned + Fitting>(body: Value) -> Result<Fit<T>, Problem> {
    // What is null was not said.
    let said: Map<String, Value> = match body {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    };
    Ok(Fit::check(read_value(&Value::Object(said))?)?)
}

fn look_in_your_mail() -> Text {
    text!(
        "Vi har sendt dig en mail. Bekræft via linket i den inden 7 dage. Kommer der ingen mail, så se i spam-mappen.",
        "We sent you a mail. Confirm by the link in it within 7 days. If none comes, look in the spam folder."
    )
}

/// What is said after a deed.
trait Words {
    fn prose(self, language: Language) -> Prose;
}

impl Words for Text {
    fn prose(self, language: Language) -> Prose {
        Prose::default().paragraph(self.to(language))
    }
}

impl Words for Prose {
    fn prose(self, _: Language) -> Prose {
        self
    }
}

/// The page after a deed, or the form again with what was typed and what is wrong beside it.
async fn reply(
    context: &Context,
    id: Id<Dialogue>,
    form: Form,
    typed: &Typed,
    done: Result<impl Words, Problem>,
) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let shown = context.db.read(move |connection| Shown::find(connection, id, now)).await;
    let shown = match shown {
        Err(problem) => return HtmlPage::of(Err(problem), language),
        Ok(shown) => shown,
    };
    let title = &shown.dialogue.notice.title;
    let back = (text!("Tilbage til »{title}«", "Back to “{title}”").to(language).to_owned(), shown.path());
    let drawn = match done {
        Ok(words) => HtmlPage::new(language, text!("Tak", "Thank you").to(language), &words.prose(language)),
        Err(problem) if problem.status.is_client_error() => {
            let (_, heading) = form.heading();
            let about = Prose::default().paragraph(title);
            form.draw(HtmlPage::new(language, heading.to(language), &about).refused(&problem), &shown, typed, language)
        }
        Err(problem) => return Err(problem),
    };
    Ok(page(drawn.links(&[back]), language))
}
