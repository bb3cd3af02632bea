//! The dialogue as a page, for people who follow a link in a mail.

use super::view::DialogueView;
use crate::dialogue::{Question, QuestionState, Status, event_line};
use crate::kernel::{Language, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::web::HtmlPage;

pub(super) fn dialogue(dialogue: &DialogueView, questions: &[Question], language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let notice = &dialogue.notice;
    let state = match dialogue.status {
        Status::Draft => text!("Kladde", "Draft"),
        Status::Published => text!("Åben", "Open"),
        Status::Closed => text!("Afsluttet", "Closed"),
        Status::Cancelled => text!("Aflyst", "Cancelled"),
    };
    let mut prose = Prose::default()
        .fact(say(text!("Skaleringsproces", "Scaling process")), &dialogue.process.title)
        .fact(say(text!("Status", "Status")), say(state));
    if let Some((version, at)) = dialogue.version.zip(dialogue.published_at) {
        let at = say(copenhagen_text(at));
        prose = prose.fact(say(text!("Udgave", "Version")), version.to_string());
        prose = prose.fact(say(text!("Offentliggjort", "Published")), at);
    }
    for words in [&dialogue.summary, &dialogue.cancel_reason].into_iter().flatten() {
        prose = prose.paragraph(words);
    }
    prose = prose.paragraph(&notice.description);
    if let Some(deadline) = &dialogue.danish_time.question_deadline {
        prose = prose.fact(say(text!("Spørgefrist", "Question deadline")), deadline);
    }
    prose = prose.fact(say(text!("Svarfrist", "Answer deadline")), &dialogue.danish_time.answer_deadline);
    prose = prose.fact(say(text!("Kontakt", "Contact")), notice.contact.line());
    if !notice.cpv.is_empty() {
        prose = prose.fact("CPV", notice.cpv.join(", "));
    }
    if !notice.questions.is_empty() {
        prose = prose.heading(say(text!("Spørgsmål til markedet", "Questions to the market")));
        prose = notice.questions.iter().fold(prose, Prose::item);
    }
    if !notice.events.is_empty() {
        prose = prose.heading(say(text!("Møder", "Events")));
        prose = notice.events.iter().fold(prose, |prose, event| prose.item(say(event_line(event))));
    }
    if !notice.documents.is_empty() {
        prose = prose.heading(say(text!("Dokumenter", "Documents")));
        prose = notice.documents.iter().fold(prose, |prose, one| prose.link(&one.title, &one.url));
    }
    let answered = questions.iter().filter_map(|question| match &question.state {
        QuestionState::Answered { answer, .. } => Some((question, answer)),
        _ => None,
    });
    for (index, (question, answer)) in answered.enumerate() {
        if index == 0 {
            prose = prose.heading(say(text!("Spørgsmål og svar", "Questions and answers")));
        }
        prose = prose.fact(say(question.pseudonym()), &question.text).paragraph(answer);
    }
    let prose = prose.paragraph(&dialogue.statements[0]).paragraph(&dialogue.statements[1]);
    HtmlPage::new(language, &notice.title, &prose)
}
