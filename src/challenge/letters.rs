//! The letters about challenges, and the text that a sponsor is shown, in the mail and on the page.

use super::sponsor::SponsorRequest;
use super::{Challenge, Description};
use crate::criteria::{Basis, ReductionKind};
use crate::kernel::{Email, Language, Text, copenhagen_text, hours_text, text};
use crate::mail::{Letter, Prose};
use crate::web::Node;

/// Asks a sponsor whether they stand behind a challenge.
pub(super) fn ask_sponsor(
    node: &Node,
    challenge: &Challenge,
    owner: &str,
    request: &SponsorRequest,
    to: &Email,
    token: &str,
) -> Letter {
    let say = |text: Text| text.to(request.language).to_owned();
    let (name, by) = (&request.name, &request.asked_by);
    let heading = text!("Står du bag denne udfordring?", "Do you stand behind this challenge?");
    let prose =
        Prose::default().heading(say(heading.clone())).paragraph(say(role(request, owner))).paragraph(say(text!(
            "Kære {name}. {by} hos {owner} beder dig bekræfte det selv, eller sige fra. Teksten lyder:",
            "Dear {name}. {by} at {owner} asks you to confirm it in person, or to decline. The text reads:"
        )));
    let until = copenhagen_text(request.expires_at);
    let (da, en) = (until.da, until.en);
    let prose = what_is_asked(prose, &challenge.description, request.language)
        .link(
            say(text!("Læs teksten og svar", "Read the text and answer")),
            node.url(&format!("/api/v1/sponsorships/{token}")),
        )
        .paragraph(say(text!(
            "Linket er dit alene: send det ikke videre. Det gælder til {da}, kan bruges én gang og falder bort, hvis teksten ændres.",
            "The link is yours alone: do not pass it on. It holds until {en}, works once, and lapses if the text is changed."
        )))
        .small(say(privacy(owner)));
    Letter::new(to, request.language, say(heading), prose)
}

/// As what the sponsor is named.
pub(super) fn role(request: &SponsorRequest, owner: &str) -> Text {
    let (name, title) = (&request.name, &request.title);
    let Text { da, en } = request.side.name();
    text!(
        "{owner} har nævnt {name}, {title}, som {da} sponsor for udfordringen herunder.",
        "{owner} has named {name}, {title}, as the {en} sponsor of the challenge below."
    )
}

/// What a yes means, and what it does not.
pub(super) fn what_a_yes_means() -> Text {
    text!(
        "Et ja betyder, at du står bag, at organisationen arbejder på at løse udfordringen sammen med andre. Det forpligter ikke til at købe noget.",
        "A yes means that you stand behind the organisation's work on solving the challenge together with others. It binds to no purchase."
    )
}

/// Who reads the answer, and what becomes of the address.
pub(super) fn privacy(owner: &str) -> Text {
    text!(
        "Dit navn, din titel, dit svar og en eventuel begrundelse kan læses af {owner}, CO-PI og de offentlige organisationer, der kan se udfordringen. Din mailadresse vises ikke; den slettes, når du har svaret, og senest når linket udløber.",
        "Your name, title, answer and any reason can be read by {owner}, CO-PI and the public bodies that can see the challenge. Your address is not shown; it is deleted when you have answered, and at the latest when the link expires."
    )
}

/// The need and its figures: exactly what the sponsor's answer is bound to.
pub(super) fn what_is_asked(prose: Prose, told: &Description, language: Language) -> Prose {
    let say = |text: Text| text.to(language).to_owned();
    let mut prose = prose.fact(say(text!("Udfordring", "Challenge")), &told.title).paragraph(&told.problem);
    for (name, words) in [
        (text!("Det skal blive muligt", "What shall become possible"), &told.desired_effect),
        (text!("Hvem det går ud over", "Whom it troubles"), &told.affected_users),
    ] {
        if !words.is_empty() {
            prose = prose.fact(say(name), words);
        }
    }
    if let Some((hours, basis)) = told.time_savings.as_ref().and_then(|time| Some((time.hours()?, time.basis))) {
        let (Text { da, en }, how) = (hours_text(hours.round()), known(basis));
        let (how_da, how_en) = (how.da, how.en);
        let words = text!("{da} om året ({how_da})", "{en} a year ({how_en})");
        prose = prose.fact(say(text!("Tid, der frigives", "Time freed")), say(words));
    }
    if let Some(saved) = &told.reduction {
        let how = say(known(saved.basis));
        let what = say(reduced(saved.kind));
        prose = prose
            .fact(say(text!("Besparelse", "Reduction")), format!("{what}: {} {} ({how})", saved.quantity, saved.unit));
    }
    let scale = told.scale.clone().unwrap_or_default();
    if let Some(volume) = &scale.volume {
        prose = prose.fact(
            say(text!("Mængde", "Volume")),
            [format!("{} {}", volume.quantity, volume.unit)]
                .into_iter()
                .chain(volume.year.map(|year| year.to_string()))
                .collect::<Vec<_>>()
                .join(", "),
        );
    }
    if let Some(value) = scale.annual_value {
        let (amount, currency) = (value.amount, value.currency);
        prose = prose.fact(say(text!("Værdi om året", "Value a year")), format!("{amount} {currency:?}"));
    }
    if let Some(people) = scale.affected_people {
        prose = prose.fact(say(text!("Antal mennesker, det berører", "People it touches")), people.to_string());
    }
    prose
}

fn known(basis: Basis) -> Text {
    match basis {
        Basis::Measured => text!("målt", "measured"),
        Basis::Estimated => text!("anslået", "estimated"),
        Basis::Assumed => text!("antaget", "assumed"),
    }
}

fn reduced(kind: ReductionKind) -> Text {
    match kind {
        ReductionKind::Co2 => text!("CO2", "CO2"),
        ReductionKind::RawMaterial => text!("råstoffer", "raw material"),
        ReductionKind::Energy => text!("energi", "energy"),
        ReductionKind::Other => text!("andet", "other"),
    }
}
