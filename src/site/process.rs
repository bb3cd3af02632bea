//! The pages of processes: who works together on what, how far it has come, and what is wanted.

use actix_web::get;
use chrono::NaiveDate;

use super::page;
use super::start::line;
use crate::access::Context;
use crate::challenge::{self, Level};
use crate::db::AnyConnection;
use crate::dialogue::{self, Dialogue};
use crate::kernel::{Direction, Id, Language, PageRequest, Text, copenhagen, day_text, figure, text};
use crate::letter_of_intent::{self, LetterOfIntent, SignatoryState, Status as LetterStatus};
use crate::mail::Prose;
use crate::need;
use crate::process::demand::Demand;
use crate::process::{self, Participant, ParticipantState, Process, Role, Status, StepState, TimelineEntry};
use crate::spread::{self, Adoption, StageEntry, Way, growth};
use crate::web::{HtmlPage, PathId, Problem};

/// How many processes, and how many dialogues of one, a page shows.
const MOST: i64 = 200;

/// The processes as a page.
#[utoipa::path(tag = "pages", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/processes")]
pub(super) async fn show_processes(context: Context) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let request = PageRequest { limit: MOST, direction: Direction::NewestFirst, after: None };
    let found = context.db.read(move |connection| process::store::list(connection, false, None, &request)).await?;
    let say = |text: Text| text.to(language).to_owned();
    let words = Prose::default().paragraph(say(text!(
        "En skaleringsproces samler flere offentlige organisationer om én fælles udfordring.",
        "A scaling process gathers several public bodies around one shared challenge."
    )));
    let shown = HtmlPage::new(language, say(text!("Skaleringsprocesser", "Scaling processes")), &words);
    let links: Vec<_> = found
        .items
        .iter()
        .map(|one| {
            let title = &one.body.title;
            let status = status(one.body.status);
            (format!("{title} – {}", status.to(language)), format!("/processes/{}", one.id))
        })
        .collect();
    let shown = if links.is_empty() {
        shown.words(
            &Prose::default().paragraph(say(text!("Der er ingen processer endnu.", "There are no processes yet."))),
        )
    } else {
        shown.links(&links)
    };
    let title = say(text!("Skaleringsprocesser", "Scaling processes"));
    Ok(page(shown, language).alternate("application/atom+xml", &title, "/feeds/processes.atom"))
}

/// All that the page of a process shows.
struct Shown {
    process: Process,
    participants: Vec<Participant>,
    demand: Demand,
    timeline: Vec<TimelineEntry>,
    adoptions: Vec<Adoption>,
    dialogues: Vec<Dialogue>,
    /// The letters of intent that somebody has signed, each with how many signatures stand.
    letters: Vec<(LetterOfIntent, usize)>,
    /// How many needs of the bodies' staff stand behind it.
    needs: usize,
    today: NaiveDate,
}

/// One process as a page.
#[utoipa::path(tag = "pages", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json")))))]
#[get("/processes/{id}")]
pub(super) async fn show_process(context: Context, id: PathId<Process>) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let look = move |connection: &mut AnyConnection| {
        let found = process::store::find(connection, id.0)?;
        let process = found.filter(|one| one.body.status != Status::Preparing).ok_or_else(Problem::not_found)?;
        let filter = dialogue::store::Filter { process_id: Some(id.0), seen_by_the_market: true, ..Default::default() };
        let request = PageRequest { limit: MOST, direction: Direction::NewestFirst, after: None };
        Ok::<_, Problem>(Shown {
            participants: process::store::participants(connection, id.0)?,
            demand: process::actions::demand(connection, now, &process, language)?,
            timeline: process::store::timeline(connection, id.0)?,
            adoptions: spread::store::of_process(connection, id.0)?,
            dialogues: dialogue::store::list(connection, filter, &request, now)?.items,
            letters: letters(connection, id.0)?,
            needs: needs(connection, id.0)?,
            today: copenhagen(now).date_naive(),
            process,
        })
    };
    HtmlPage::of(context.db.read(look).await.map(|shown| draw(&shown, language)), language)
}

fn letters(connection: &mut AnyConnection, process: Id<Process>) -> Result<Vec<(LetterOfIntent, usize)>, Problem> {
    let mut signed = Vec::new();
    for letter in letter_of_intent::store::of_process(connection, process)? {
        if letter.frozen_at.is_some() {
            let all = letter_of_intent::store::signatories::of_letter(connection, letter.id)?;
            let stands = all.iter().filter(|one| matches!(one.state, SignatoryState::Signed { .. })).count();
            signed.push((letter, stands));
        }
    }
    Ok(signed)
}

fn needs(connection: &mut AnyConnection, process: Id<Process>) -> Result<usize, Problem> {
    let inside = challenge::store::in_process(connection, &process.to_string())?;
    let challenges: Vec<_> = inside.iter().map(|challenge| challenge.id).collect();
    Ok(need::store::behind(connection, &challenges)?.len())
}

fn draw(shown: &Shown, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let Shown { process, participants, demand, timeline, adoptions, dialogues, letters, needs, today } = shown;
    let status = status(process.body.status);
    let mut words = Prose::default().fact(say(text!("Status", "Status")), status.to(language));
    let step = |step: &&process::Step| step.state == StepState::Open;
    for open in process.steps.iter().filter(step) {
        words = words.fact(say(text!("Åbent trin", "Open step")), format!("{}. {}", open.number, open.title(language)));
    }
    if *needs > 0 {
        let behind = text!("Behov fra medarbejdere, som den bygger på", "Needs from members of staff that it rests on");
        words = words.fact(say(behind), needs.to_string());
    }
    words = words.paragraph(&process.body.summary);
    let mut drawn = HtmlPage::new(language, &process.body.title, &words);

    drawn = drawn.section("dialogues", &say(text!("Markedsdialoger", "Market dialogues")));
    let subscribe = (
        say(text!("Få mail om denne proces", "Get mail about this process")),
        format!("/subscribe?process_id={}", process.id),
    );
    drawn = match dialogues.is_empty() {
        true => drawn.words(&Prose::default().paragraph(say(text!("Ingen endnu.", "None yet.")))).links(&[subscribe]),
        false => drawn.links(&dialogues.iter().map(|one| line(one, language)).chain([subscribe]).collect::<Vec<_>>()),
    };

    let taking_part: Vec<&Participant> =
        participants.iter().filter(|one| one.body.state != ParticipantState::Left).collect();
    let Text { da, en } = day_text(copenhagen(demand.as_of).date_naive());
    let count = taking_part.len();
    drawn = drawn
        .section("participants", &say(text!("Deltagere", "Participants")))
        .words(&Prose::default().paragraph(say(text!("{count} pr. {da}", "{count} as of {en}"))));
    if !taking_part.is_empty() {
        let rows: Vec<Vec<String>> = taking_part
            .iter()
            .map(|one| {
                let joined = say(day_text(one.body.joined_on));
                vec![one.organisation.clone(), say(role(one.body.role)), joined]
            })
            .collect();
        let heads = [text!("Organisation", "Organisation"), text!("Rolle", "Role"), text!("Med fra", "Since")].map(say);
        drawn = drawn.table(&heads, &rows);
    }

    drawn = drawn.section("demand", &say(text!("Samlet efterspørgsel", "Aggregated demand")));
    let rows: Vec<Vec<String>> = demand
        .by_level
        .iter()
        .map(|(word, wanted)| {
            let level = Level::from_word(word).map(|one| say(level(one)));
            let volume: Vec<String> = wanted
                .volume
                .iter()
                .map(|volume| format!("{} {}", figure(volume.quantity).to(language), volume.unit))
                .collect();
            let value = wanted
                .annual_value
                .as_ref()
                .map(|money| format!("{} kr.", figure(money.amount).to(language)))
                .unwrap_or_default();
            vec![level.unwrap_or_default(), wanted.bodies.to_string(), volume.join(", "), value]
        })
        .collect();
    if rows.is_empty() {
        drawn = drawn.words(&Prose::default().paragraph(say(text!("Ikke opgjort endnu.", "Not stated yet."))));
    } else {
        let heads = [
            text!("Trin", "Level"),
            text!("Organisationer", "Bodies"),
            text!("Mængde", "Volume"),
            text!("Årlig værdi", "Annual value"),
        ];
        drawn = drawn.table(&heads.map(say), &rows);
    }
    if let Some(cap) = demand.option_cap {
        let Text { da, en } = figure(cap.amount);
        let words = text!("Loft over indkøbsoptioner: {da} kr.", "Cap on purchase options: {en} kr.");
        drawn = drawn.words(&Prose::default().paragraph(say(words)));
    }

    drawn = drawn.section("steps", &say(text!("De seks trin", "The six steps")));
    let steps = process.steps.iter().fold(Prose::default(), |prose, one| {
        let state = match one.state {
            StepState::Waiting => text!("venter", "waiting"),
            StepState::Open => text!("i gang", "open"),
            StepState::Done => text!("færdigt", "done"),
            StepState::Skipped => text!("sprunget over", "skipped"),
        };
        prose.item(format!("{}. {}: {}", one.number, one.title(language), state.to(language)))
    });
    drawn = drawn.words(&steps);

    if !timeline.is_empty() {
        drawn = drawn.section("timeline", &say(text!("Tidslinje", "Timeline")));
        let lines = timeline.iter().fold(Prose::default(), |prose, one| {
            prose.item(format!("{}: {}", say(day_text(one.body.happened_on)), one.body.title))
        });
        drawn = drawn.words(&lines);
        let links: Vec<_> =
            timeline.iter().filter_map(|one| Some((one.body.title.clone(), one.body.url.clone()?))).collect();
        drawn = if links.is_empty() { drawn } else { drawn.links(&links) };
    }
    if !letters.is_empty() {
        let line = |(letter, signed): &(LetterOfIntent, usize)| {
            let stands = match letter.status {
                LetterStatus::Withdrawn => text!("trukket tilbage", "withdrawn"),
                _ => text!("underskrevet af {signed}", "signed by {signed}"),
            };
            let words = format!("{} – {}", letter.document.title, stands.to(language));
            (words, format!("/api/v1/letters-of-intent/{}", letter.id))
        };
        let links: Vec<_> = letters.iter().map(line).collect();
        drawn = drawn.section("letters", &say(text!("Hensigtserklæringer", "Letters of intent"))).links(&links);
    }
    if !adoptions.is_empty() {
        drawn = drawn.section("spread", &say(text!("Spredning", "Spread")));
        let stages: Vec<(Way, &[StageEntry])> = adoptions.iter().map(|one| (one.way, one.stages.as_slice())).collect();
        let rows = growth(&stages, *today).years.into_iter().map(|year| {
            let under_way = year.planned + year.bought;
            [year.year.to_string(), year.spread.to_string(), under_way.to_string(), year.ended.to_string()].to_vec()
        });
        let heads = [
            text!("År", "Year"),
            text!("Har den i brug", "Use it"),
            text!("Har planlagt eller købt den", "Plan to or have bought it"),
            text!("Har droppet den", "Dropped it"),
        ];
        drawn = drawn.table(&heads.map(say), &rows.collect::<Vec<_>>());
    }
    page(drawn, language)
}

fn status(status: Status) -> Text {
    match status {
        Status::Preparing => text!("under forberedelse", "being prepared"),
        Status::Active => text!("i gang", "active"),
        Status::Paused => text!("på pause", "paused"),
        Status::Completed => text!("gennemført", "completed"),
        Status::Abandoned => text!("opgivet", "abandoned"),
    }
}

fn level(level: Level) -> Text {
    match level {
        Level::Recognises => text!("genkender", "recognises"),
        Level::Interested => text!("interesseret", "interested"),
        Level::Intends => text!("hensigt", "intends"),
        Level::Option => text!("option", "option"),
        Level::Committed => text!("forpligtet", "committed"),
        Level::Withdrawn => text!("trukket tilbage", "withdrawn"),
    }
}

fn role(role: Role) -> Text {
    match role {
        Role::NeedOwner => text!("behovsejer", "need owner"),
        Role::ProcessLead => text!("procesleder", "process lead"),
        Role::ProjectManager => text!("projektleder", "project manager"),
        Role::ScalingPartner => text!("skaleringspartner", "scaling partner"),
        Role::KnowledgePartner => text!("videnspartner", "knowledge partner"),
        Role::Supporter => text!("støttepartner", "supporter"),
    }
}

/// The title of a process that everybody may see.
pub(super) fn public_title(connection: &mut AnyConnection, id: Id<Process>) -> Result<Option<String>, Problem> {
    let found = process::store::find(connection, id)?;
    Ok(found.filter(|one| one.body.status != Status::Preparing).map(|one| one.body.title))
}
