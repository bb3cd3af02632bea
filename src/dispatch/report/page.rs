//! The report as a page: tables that can be read, searched and printed.

use chrono::{DateTime, Utc};

use super::{DialogueReport, status_words};
use crate::dialogue::{SignupState, VersionKind};
use crate::kernel::{Language, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::web::HtmlPage;

/// Says things in the reader's language.
struct Words(Language);

impl Words {
    fn say(&self, text: Text) -> String {
        text.to(self.0).to_owned()
    }

    fn moment(&self, at: DateTime<Utc>) -> String {
        copenhagen_text(at).to(self.0).to_owned()
    }

    fn maybe(&self, at: Option<DateTime<Utc>>) -> String {
        at.map_or_else(|| "–".to_owned(), |at| self.moment(at))
    }
}

pub(super) fn draw(report: &DialogueReport, language: Language) -> HtmlPage {
    let words = Words(language);
    let title = &report.dialogue.notice.title;
    let page = HtmlPage::new(language, words.say(text!("Rapport: {title}", "Report: {title}")), &head(report, &words));
    let page = publications(page.broad(), report, &words);
    let page = versions(page, report, &words);
    let page = questions(page, report, &words);
    let page = signups(page, report, &words);
    let page = answers(page, report, &words);
    let page = told(page, report, &words);
    proof(page, report, &words)
}

fn head(report: &DialogueReport, words: &Words) -> Prose {
    let mut prose = Prose::default()
        .fact(words.say(text!("Skaleringsproces", "Scaling process")), &report.dialogue.process.title)
        .fact(words.say(text!("Rapporten er lavet", "The report was made")), words.moment(report.made_at))
        .fact(words.say(text!("Leverandører, der deltog", "Suppliers that took part")), report.suppliers.to_string())
        .fact(words.say(text!("Svarfrist", "Answer deadline")), &report.dialogue.danish_time.answer_deadline);
    prose = report.warnings.iter().fold(prose, Prose::paragraph);
    prose = prose.paragraph(words.say(text!(
        "Rapporten viser, hvad markedet fik at vide, hvornår og hvordan (udbudsloven §§ 2 og 39): hver udgave var offentlig, \
         før den første mail om den blev lagt i kø, og alle fik den samme tekst. Tider er danske.",
        "The report shows what the market was told, when and how (the Danish Public Procurement Act, sections 2 and 39): \
         every version was public before the first letter about it was queued, and all got the same text. Times are \
         Danish."
    )));
    if let Some(summary) = &report.dialogue.summary {
        prose = prose.heading(words.say(text!("Offentligt referat", "Public summary"))).paragraph(summary);
    }
    if let Some(reason) = &report.dialogue.cancel_reason {
        prose = prose.heading(words.say(text!("Hvorfor den er aflyst", "Why it is cancelled"))).paragraph(reason);
    }
    prose.paragraph(&report.dialogue.statements[0]).paragraph(&report.dialogue.statements[1])
}

fn publications(page: HtmlPage, report: &DialogueReport, words: &Words) -> HtmlPage {
    let heads = [
        text!("Udgave", "Version"),
        text!("Offentlig fra", "Public from"),
        text!("Mails", "Letters"),
        text!("Første og sidste lagt i kø", "First and last queued"),
        text!("Første og sidste sendt", "First and last sent"),
        text!("Tekstens SHA-256", "SHA-256 of the text"),
    ]
    .map(|head| words.say(head));
    let rows: Vec<Vec<String>> = report
        .publications
        .iter()
        .map(|one| {
            let kind = match one.kind {
                VersionKind::Notice => text!("meddelelse", "notice"),
                VersionKind::Closing => text!("afslutning", "closing"),
                VersionKind::Cancellation => text!("aflysning", "cancellation"),
            };
            let (recipients, sent, not_sent, waiting) = (one.recipients, one.sent, one.not_sent, one.waiting);
            let by = &one.published_by;
            vec![
                format!("{} ({})", one.version, words.say(kind)),
                words.say({
                    let at = copenhagen_text(one.published_at);
                    let (da, en) = (at.da, at.en);
                    text!("{da}, ved {by}", "{en}, by {by}")
                }),
                words.say(text!(
                    "{recipients}: {sent} sendt, {waiting} venter, {not_sent} ikke sendt",
                    "{recipients}: {sent} sent, {waiting} waiting, {not_sent} not sent"
                )),
                format!("{}\n{}", words.maybe(one.first_queued_at), words.maybe(one.last_queued_at)),
                format!("{}\n{}", words.maybe(one.first_sent_at), words.maybe(one.last_sent_at)),
                one.notice_sha256.clone(),
            ]
        })
        .collect();
    let channels = report.channels.iter().fold(Prose::default(), Prose::item);
    page.section("publications", &words.say(text!("Offentliggørelser og invitationer", "Publications and invitations")))
        .words(&channels)
        .table(&heads, &rows)
}

fn versions(page: HtmlPage, report: &DialogueReport, words: &Words) -> HtmlPage {
    let mut page = page.section("versions", &words.say(text!("Udgaver og forskelle", "Versions and differences")));
    for version in &report.versions {
        let (number, at) = (version.version, copenhagen_text(version.published_at));
        let (da, en) = (at.da, at.en);
        let title = words.say(text!("Udgave {number}, {da}", "Version {number}, {en}"));
        let reason = version.change_reason.iter().fold(Prose::default(), Prose::paragraph);
        page = page.words(&Prose::default().heading(title)).words(&reason);
        let rows: Vec<Vec<String>> =
            version.changes.iter().map(|one| vec![one.name.clone(), one.before.clone(), one.after.clone()]).collect();
        if !rows.is_empty() {
            let heads = [text!("Felt", "Field"), text!("Før", "Before"), text!("Nu", "Now")];
            page = page.table(&heads.map(|head| words.say(head)), &rows);
        }
        // Later ones stand among the differences.
        let documents = version.notice.documents.iter().filter(|_| number == 1);
        let documents = documents.fold(Prose::default(), |prose, one| {
            prose.item(format!("{}: {} ({})", one.title, one.url, one.proof(words.0)))
        });
        page = page.words(&documents);
    }
    page
}

fn questions(page: HtmlPage, report: &DialogueReport, words: &Words) -> HtmlPage {
    let page = page.section("questions", &words.say(text!("Spørgsmål og svar", "Questions and answers")));
    if report.questions.is_empty() {
        return page.words(&Prose::default().paragraph(words.say(text!("Ingen.", "None."))));
    }
    let heads = [
        text!("Spurgt af", "Asked by"),
        text!("Spørgsmål", "Question"),
        text!("Svar", "Answer"),
        text!("Offentligt fra", "Public from"),
        text!("Sendt på mail til", "Mailed to"),
    ]
    .map(|head| words.say(head));
    let rows: Vec<Vec<String>> = report
        .questions
        .iter()
        .map(|one| {
            let mailed =
                one.mailed.iter().map(|letter| format!("{}, {}", letter.recipient, words.maybe(letter.sent_at)));
            let answer = one.answer.clone().unwrap_or_default();
            let answer = match one.status {
                "rejected" => words.say(text!("Afvist: {answer}", "Rejected: {answer}")),
                "answered" => answer,
                _ => words.say(text!("Ikke besvaret", "Not answered")),
            };
            vec![
                format!("{}\n{}", one.asker, words.moment(one.asked_at)),
                one.text.clone(),
                answer,
                words.maybe(one.settled_at.filter(|_| one.status == "answered")),
                mailed.collect::<Vec<_>>().join("\n"),
            ]
        })
        .collect();
    page.table(&heads, &rows)
}

fn signups(page: HtmlPage, report: &DialogueReport, words: &Words) -> HtmlPage {
    let page = page.section("signups", &words.say(text!("Tilmeldinger pr. virksomhed", "Sign-ups by company")));
    if report.signups.is_empty() {
        return page.words(&Prose::default().paragraph(words.say(text!("Ingen.", "None."))));
    }
    let heads = [
        text!("Virksomhed", "Company"),
        text!("Møde", "Event"),
        text!("Status", "Status"),
        text!("Tilmeldt", "Signed up"),
        text!("Bekræftet", "Confirmed"),
        text!("Samtale", "Talk"),
    ]
    .map(|head| words.say(head));
    let mut signups: Vec<_> = report.signups.iter().collect();
    signups.sort_by(|one, other| (&one.company, one.signed_up_at).cmp(&(&other.company, other.signed_up_at)));
    let rows: Vec<Vec<String>> = signups
        .into_iter()
        .map(|one| {
            let state = match one.status {
                SignupState::Unconfirmed => text!("ikke bekræftet", "not confirmed"),
                SignupState::Confirmed => text!("har plads", "has a seat"),
                SignupState::Waiting => text!("på venteliste", "on the waiting list"),
                SignupState::Cancelled => text!("meldt fra", "gave the seat back"),
            };
            let cvr = one.cvr.as_ref().map(|cvr| format!(" (CVR {cvr})")).unwrap_or_default();
            vec![
                format!("{}{cvr}", one.company),
                one.event.clone(),
                words.say(state),
                words.moment(one.signed_up_at),
                words.maybe(one.confirmed_at),
                words.maybe(one.slot),
            ]
        })
        .collect();
    page.table(&heads, &rows)
}

fn answers(page: HtmlPage, report: &DialogueReport, words: &Words) -> HtmlPage {
    let page = page.section("answers", &words.say(text!("Skriftlige svar", "Written answers")));
    if report.answers.is_empty() {
        return page.words(&Prose::default().paragraph(words.say(text!("Ingen.", "None."))));
    }
    let heads = [
        text!("Virksomhed", "Company"),
        text!("Modtaget", "Received"),
        text!("Rettidigt", "In time"),
        text!("Til udgave", "To version"),
        text!("Fortrolig del", "Confidential part"),
        text!("Kvittering (SHA-256)", "Receipt (SHA-256)"),
    ]
    .map(|head| words.say(head));
    let yes = |yes: bool| words.say(if yes { text!("ja", "yes") } else { text!("nej", "no") });
    let rows: Vec<Vec<String>> = report
        .answers
        .iter()
        .map(|one| {
            let cvr = one.cvr.as_ref().map(|cvr| format!(" (CVR {cvr})")).unwrap_or_default();
            vec![
                format!("{}{cvr}", one.company),
                words.moment(one.received_at),
                yes(!one.late),
                one.version.to_string(),
                yes(one.confidential),
                one.receipt.clone(),
            ]
        })
        .collect();
    page.table(&heads, &rows)
}

fn told(page: HtmlPage, report: &DialogueReport, words: &Words) -> HtmlPage {
    let title = text!("Hvem fik hvad at vide, hvornår og hvorfor", "Who was told what, when and why");
    let page = page.section("told", &words.say(title));
    if report.told.is_empty() {
        let none = text!("Ingen abonnent havde et filter, der passede.", "No subscriber had a filter that matched.");
        return page.words(&Prose::default().paragraph(words.say(none)));
    }
    let heads = [
        text!("Modtager", "Recipient"),
        text!("Udgave", "Version"),
        text!("Derfor", "Why"),
        text!("Lagt i kø", "Queued"),
        text!("Sendt", "Sent"),
        text!("Mailserverens svar", "The mail server's answer"),
    ]
    .map(|head| words.say(head));
    let rows: Vec<Vec<String>> = report
        .told
        .iter()
        .map(|one| {
            let status = words.say(status_words(&one.status));
            vec![
                one.recipient.clone(),
                one.version.to_string(),
                one.why_text.clone(),
                words.moment(one.queued_at),
                one.sent_at.map_or(status, |at| words.moment(at)),
                one.answer.clone().unwrap_or_default(),
            ]
        })
        .collect();
    page.table(&heads, &rows)
}

fn proof(page: HtmlPage, report: &DialogueReport, words: &Words) -> HtmlPage {
    let Some(head) = &report.ledger_head else { return page };
    let (number, hash) = (head.number, &head.hash);
    let prose = Prose::default()
        .paragraph(words.say(text!(
            "Alt ovenfor står i en hovedbog, der kun vokser. Da rapporten blev lavet, var dens sidste post nummer {number} \
             med dette fingeraftryk:",
            "All of the above stands in a ledger that only grows. When the report was made, its last entry was number \
             {number} with this fingerprint:"
        )))
        .paragraph(hash)
        .paragraph(words.say(text!(
            "Med »skala ledger verify --head {number}:{hash}« kan det til enhver tid vises, at intet før den er ændret, \
             indsat eller fjernet.",
            "With “skala ledger verify --head {number}:{hash}” it can be shown at any time that nothing before it was \
             changed, put in or taken out."
        )));
    page.section("proof", &words.say(text!("Bevis", "Proof"))).words(&prose)
}
