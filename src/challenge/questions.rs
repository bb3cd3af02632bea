//! What the OPI guide asks while a need is still an idea: who else has it, can it be bought already, how many share it,
//! is purchasing with you. Questions, never conditions.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Department, Description};
use crate::kernel::{Language, Text, text};

/// Like challenges that the service knows of, and the bodies that have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likes {
    pub challenges: usize,
    pub bodies: usize,
}

/// A question to an idea.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdeaQuestion {
    pub key: &'static str,
    pub text: Text,
    /// Where the answer belongs.
    pub pointer: &'static str,
    pub answered: bool,
    /// What the service itself knows of the answer.
    pub hint: Option<Text>,
}

/// A question to an idea, in the reader's language.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IdeaQuestion)]
pub struct IdeaQuestionView {
    /// `who_else_has_it`, `can_it_be_bought`, `how_many_share_it` or `is_purchasing_involved`.
    #[schema(example = "who_else_has_it")]
    key: &'static str,
    #[schema(example = "Hvem har ellers udfordringen?")]
    text: String,
    /// Where the answer belongs (RFC 6901).
    #[schema(example = "/scale/known_bodies")]
    pointer: &'static str,
    /// Whether the description answers it.
    answered: bool,
    /// What the service itself knows of the answer.
    #[schema(required, nullable, example = "3 lignende udfordringer er registreret af 2 andre; se similar")]
    hint: Option<String>,
}

impl IdeaQuestion {
    /// In the reader's language.
    #[must_use]
    pub fn view(&self, language: Language) -> IdeaQuestionView {
        let say = |text: &Text| text.to(language).to_owned();
        let Self { key, pointer, answered, .. } = *self;
        IdeaQuestionView { key, text: say(&self.text), pointer, answered, hint: self.hint.as_ref().map(say) }
    }
}

/// The questions, with what is known of like challenges where somebody looked.
#[must_use]
pub fn idea_questions(need: &Description, likes: Option<Likes>) -> Vec<IdeaQuestion> {
    let scale = need.scale.as_ref();
    let known = likes.filter(|likes| likes.bodies > 0);
    let who = known.map(|Likes { challenges, bodies }| {
        text!(
            "{challenges} lignende udfordring(er) er registreret af {bodies} anden/andre; se similar",
            "{challenges} like challenge(s) are registered by {bodies} others; see similar"
        )
    });
    let share = known.map(|Likes { bodies, .. }| {
        text!("Mindst {bodies} anden/andre har noget lignende", "At least {bodies} others have something like it")
    });
    let counted = scale.is_some_and(|scale| {
        scale.volume.is_some() || scale.estimated_bodies.is_some() || scale.affected_people.is_some()
    });
    let question = |key, pointer, text, answered, hint| IdeaQuestion { key, text, pointer, answered, hint };
    vec![
        question(
            "who_else_has_it",
            "/scale/known_bodies",
            text!("Hvem har ellers udfordringen?", "Who else has the challenge?"),
            scale.and_then(|scale| scale.known_bodies.as_ref()).is_some_and(|bodies| !bodies.is_empty()),
            who,
        ),
        question(
            "can_it_be_bought",
            "/already_solved_check",
            text!(
                "Kan noget, der dækker behovet, allerede købes?",
                "Can something that meets the need be bought already?"
            ),
            need.already_solved_check.as_ref().is_some_and(|check| check.searched),
            None,
        ),
        question("how_many_share_it", "/scale", text!("Hvor mange deler den?", "How many share it?"), counted, share),
        question(
            "is_purchasing_involved",
            "/contacts",
            text!("Er indkøbsafdelingen med?", "Is the procurement department with you?"),
            need.contacts.iter().any(|contact| contact.department == Department::Procurement),
            None,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(more: serde_json::Value) -> Vec<&'static str> {
        let mut need = serde_json::json!({"title": "Natlige tilsyn", "problem": "Beboerne vågner hver nat."});
        more.as_object().unwrap().iter().for_each(|(name, value)| need[name] = value.clone());
        let need: Description = serde_json::from_value(need).unwrap();
        idea_questions(&need, None)
            .into_iter()
            .filter(|question| question.answered)
            .map(|question| question.key)
            .collect()
    }

    #[test]
    fn a_question_is_answered_by_what_the_description_says() {
        use serde_json::json;
        assert!(answered(json!({})).is_empty());
        let scale = json!({"scale": {"known_bodies": ["Vejle Kommune"], "estimated_bodies": 20}});
        assert_eq!(answered(scale), ["who_else_has_it", "how_many_share_it"]);
        assert_eq!(answered(json!({"already_solved_check": {"searched": true}})), ["can_it_be_bought"]);
        let contact = json!({"contacts": [{"name": "Bo", "email": "bo@odense.example", "department": "procurement"}]});
        assert_eq!(answered(contact), ["is_purchasing_involved"]);
    }
}
