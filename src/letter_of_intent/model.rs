//! The life of a letter of intent and of each signature on it.

pub mod template;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Fitting, Flaws, Id, Instant, Language, OrganisationId, digest};
use crate::process::{Process, Role};

/// Where a letter of intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = LetterStatus)]
pub enum Status {
    Draft,
    Signing,
    Withdrawn,
}

impl Status {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Signing => "signing",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Draft, Self::Signing, Self::Withdrawn].into_iter().find(|status| status.word() == word)
    }
}

/// One version of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// 1, 2, 3 …
    pub number: i32,
    pub title: String,
    pub text: String,
}

impl Document {
    /// Exactly what is signed: the title, an empty line, the text, a line break.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}\n\n{}\n", self.title, self.text)
    }

    /// The SHA-256 of the words, as hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        digest(self.words().as_bytes())
    }
}

/// The words of a letter, as staff write them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterWords, example = json!({"title": "Fælles hensigtserklæring", "text": "Vi vil løse det sammen."}))]
pub struct Words {
    /// 1 to 300 characters.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// 1 to 60,000 characters.
    #[schema(min_length = 1, max_length = 60_000)]
    pub text: String,
}

impl Fitting for Words {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 300);
        flaws.prose("/text", &mut self.text, 1, 60_000);
    }
}

/// A letter of intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterOfIntent {
    pub id: Id<LetterOfIntent>,
    pub process_id: Id<Process>,
    pub language: Language,
    /// The key and version of the template that it was made from.
    pub template: (String, i32),
    pub status: Status,
    pub document: Document,
    /// The bodies that the text names.
    pub bodies: Vec<OrganisationId>,
    /// When the first body signed: from then on the text stays.
    pub frozen_at: Option<Instant>,
    /// Until when comments are taken.
    pub comments_until: Option<Instant>,
    pub withdrawn_reason: Option<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// A body has signed the text.
    Frozen,
    /// The letter is withdrawn.
    Withdrawn,
    /// It is out for signature already, or not yet.
    Status { is: Status },
    /// Comments are taken.
    CommentsOpen,
    /// Comments are not taken (any more).
    CommentsClosed,
    /// So many comments have no answer.
    Unresolved { count: usize },
    /// There is nobody to sign.
    NoSignatories,
    /// This signature was given, declined or withdrawn already.
    Settled,
    /// This signature was not given.
    NotSigned,
}

impl LetterOfIntent {
    /// Whether comments are taken at `now`.
    #[must_use]
    pub fn takes_comments(&self, now: Instant) -> bool {
        self.status == Status::Draft && self.comments_until.is_some_and(|until| now <= until)
    }

    /// Another text, which is the next version.
    ///
    /// # Errors
    /// [`Situation`].
    pub fn change(
        mut self,
        Words { title, text }: Words,
        bodies: Vec<OrganisationId>,
        now: Instant,
    ) -> Result<Self, Situation> {
        self.require_alive()?;
        if self.frozen_at.is_some() {
            return Err(Situation::Frozen);
        }
        if (&title, &text) != (&self.document.title, &self.document.text) {
            self.document = Document { number: self.document.number + 1, title, text };
        }
        Ok(Self { bodies, ..self }.touched(now))
    }

    /// Opens a round of comments, or moves its end; `None` closes it.
    ///
    /// # Errors
    /// [`Situation`].
    pub fn take_comments(self, until: Option<Instant>, now: Instant) -> Result<Self, Situation> {
        self.require_alive()?;
        match self.status {
            Status::Draft => Ok(Self { comments_until: until, ..self }.touched(now)),
            is => Err(Situation::Status { is }),
        }
    }

    /// Sends it out for signature.
    ///
    /// # Errors
    /// [`Situation`].
    pub fn send(self, unresolved: usize, signatories: usize, now: Instant) -> Result<Self, Situation> {
        self.require_alive()?;
        match self.status {
            Status::Draft if self.takes_comments(now) => Err(Situation::CommentsOpen),
            Status::Draft if unresolved > 0 => Err(Situation::Unresolved { count: unresolved }),
            Status::Draft if signatories == 0 => Err(Situation::NoSignatories),
            Status::Draft => Ok(Self { status: Status::Signing, comments_until: None, ..self }.touched(now)),
            is => Err(Situation::Status { is }),
        }
    }

    /// A body has signed the text: it stays as it is.
    #[must_use]
    pub fn frozen(self, now: Instant) -> Self {
        let frozen_at = self.frozen_at.or(Some(now));
        Self { frozen_at, ..self }.touched(now)
    }

    /// Takes it back; what was signed stays on record.
    ///
    /// # Errors
    /// [`Situation`].
    pub fn withdraw(self, reason: String, now: Instant) -> Result<Self, Situation> {
        self.require_alive()?;
        Ok(Self { status: Status::Withdrawn, comments_until: None, withdrawn_reason: Some(reason), ..self }
            .touched(now))
    }

    fn require_alive(&self) -> Result<(), Situation> {
        if self.status == Status::Withdrawn { Err(Situation::Withdrawn) } else { Ok(()) }
    }

    /// Something that is shown with it has changed.
    #[must_use]
    pub fn touched(self, now: Instant) -> Self {
        Self { updated_at: now, version: self.version + 1, ..self }
    }
}

/// What somebody signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SignatureKind)]
pub enum Kind {
    /// The letter itself.
    Letter,
    /// An addendum to the frozen letter: a body that came later.
    Addendum,
    /// A partner declaration: a supporter.
    Declaration,
}

impl Kind {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Addendum => "addendum",
            Self::Declaration => "declaration",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Letter, Self::Addendum, Self::Declaration].into_iter().find(|kind| kind.word() == word)
    }
}

/// What a participant of this role signs: supporters a declaration, a body that the frozen text does not name an addendum.
#[must_use]
pub fn kind_for(letter: &LetterOfIntent, body: OrganisationId, role: Role) -> Kind {
    match role {
        Role::Supporter | Role::KnowledgePartner => Kind::Declaration,
        _ if letter.frozen_at.is_some() && !letter.bodies.contains(&body) => Kind::Addendum,
        _ => Kind::Letter,
    }
}

/// How it stands with one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatoryState {
    /// Named, and not asked yet.
    Named,
    /// Has a link.
    Asked {
        until: Instant,
        reminded: bool,
    },
    /// Signed the text of this hash.
    Signed {
        at: Instant,
        sha256: String,
    },
    Declined {
        at: Instant,
        reason: String,
    },
    /// Took the signature back.
    Withdrawn {
        at: Instant,
        reason: String,
    },
}

impl SignatoryState {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Asked { .. } => "asked",
            Self::Signed { .. } => "signed",
            Self::Declined { .. } => "declined",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}

/// Who signs for a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatory {
    pub id: Id<Signatory>,
    pub letter_id: Id<LetterOfIntent>,
    pub organisation_id: OrganisationId,
    pub organisation: String,
    pub kind: Kind,
    pub name: String,
    pub title: String,
    pub email: String,
    pub language: Language,
    /// How often a link was sent: an older one opens nothing.
    pub turn: i32,
    /// The words of an addendum or a declaration.
    pub words: Option<String>,
    pub state: SignatoryState,
}

impl Signatory {
    /// Exactly what this one signs.
    #[must_use]
    pub fn signs(&self, letter: &LetterOfIntent) -> String {
        self.words.clone().unwrap_or_else(|| letter.document.words())
    }

    /// The SHA-256 of what this one signs.
    #[must_use]
    pub fn sha256(&self, letter: &LetterOfIntent) -> String {
        digest(self.signs(letter).as_bytes())
    }

    /// What a link is bound to: the very words, and which link it is.
    #[must_use]
    pub fn bound_to(&self, letter: &LetterOfIntent) -> String {
        format!("{}:{}", self.sha256(letter), self.turn)
    }

    /// Gets a (new) link that is good until then.
    #[must_use]
    pub fn asked(self, until: Instant) -> Self {
        Self { turn: self.turn + 1, state: SignatoryState::Asked { until, reminded: false }, ..self }
    }

    /// Signs.
    ///
    /// # Errors
    /// [`Situation::Settled`] unless it was asked.
    pub fn sign(self, letter: &LetterOfIntent, now: Instant) -> Result<Self, Situation> {
        self.require_asked(now)?;
        let sha256 = self.sha256(letter);
        Ok(Self { state: SignatoryState::Signed { at: now, sha256 }, ..self })
    }

    /// Declines.
    ///
    /// # Errors
    /// [`Situation::Settled`] unless it was asked.
    pub fn decline(self, reason: String, now: Instant) -> Result<Self, Situation> {
        self.require_asked(now)?;
        Ok(Self { state: SignatoryState::Declined { at: now, reason }, ..self })
    }

    /// Takes the signature back.
    ///
    /// # Errors
    /// [`Situation::NotSigned`].
    pub fn withdraw(self, reason: String, now: Instant) -> Result<Self, Situation> {
        match self.state {
            SignatoryState::Signed { .. } => Ok(Self { state: SignatoryState::Withdrawn { at: now, reason }, ..self }),
            _ => Err(Situation::NotSigned),
        }
    }

    /// Whether an answer is still awaited.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, SignatoryState::Named | SignatoryState::Asked { .. })
    }

    fn require_asked(&self, now: Instant) -> Result<(), Situation> {
        match self.state {
            SignatoryState::Asked { until, .. } if now <= until => Ok(()),
            _ => Err(Situation::Settled),
        }
    }
}

/// What a member of a participating body says of the draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: Id<Comment>,
    pub letter_id: Id<LetterOfIntent>,
    pub organisation_id: OrganisationId,
    pub organisation: String,
    /// The version of the text that it speaks of.
    pub number: i32,
    pub text: String,
    pub said_by: String,
    pub said_at: Instant,
    /// What staff did with it, who and when.
    pub resolution: Option<(String, String, Instant)>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn now() -> Instant {
        at("2026-11-22T08:00:00Z")
    }

    fn letter() -> LetterOfIntent {
        LetterOfIntent {
            id: Id::made_at(now()),
            process_id: Id::made_at(now()),
            language: Language::Da,
            template: ("t".into(), 1),
            status: Status::Draft,
            document: Document { number: 1, title: "T".into(), text: "Vi vil.".into() },
            bodies: vec![OrganisationId::from_bytes([1; 16])],
            frozen_at: None,
            comments_until: None,
            withdrawn_reason: None,
            version: 1,
            created_at: now(),
            updated_at: now(),
        }
    }

    fn signatory(letter: &LetterOfIntent) -> Signatory {
        Signatory {
            id: Id::made_at(now()),
            letter_id: letter.id,
            organisation_id: OrganisationId::from_bytes([1; 16]),
            organisation: "Odense".into(),
            kind: Kind::Letter,
            name: "Ib".into(),
            title: "Rådmand".into(),
            email: "ib@odense.example".into(),
            language: Language::Da,
            turn: 0,
            words: None,
            state: SignatoryState::Named,
        }
    }

    fn change(letter: LetterOfIntent, text: &str) -> Result<LetterOfIntent, Situation> {
        let bodies = letter.bodies.clone();
        letter.change(Words { title: "T".into(), text: text.into() }, bodies, now())
    }

    #[test]
    fn a_letter_goes_out_when_its_comments_are_answered_and_somebody_is_to_sign() {
        let open = letter().take_comments(Some(at("2026-12-01T12:00:00Z")), now()).unwrap();
        assert_eq!(open.clone().send(0, 1, now()), Err(Situation::CommentsOpen));
        let later = at("2026-12-01T12:00:01Z");
        assert_eq!(open.clone().send(2, 1, later), Err(Situation::Unresolved { count: 2 }));
        assert_eq!(open.clone().send(0, 0, later), Err(Situation::NoSignatories));
        let out = open.send(0, 1, later).unwrap();
        assert_eq!(out.clone().send(0, 1, later), Err(Situation::Status { is: Status::Signing }));
        assert_eq!(out.take_comments(None, later), Err(Situation::Status { is: Status::Signing }));
    }

    #[test]
    fn a_text_that_changed_is_another_link_and_a_frozen_one_does_not_change() {
        let first = letter().send(0, 1, now()).unwrap();
        let asked = signatory(&first).asked(at("2026-12-22T08:00:00Z"));
        let second = change(first.clone(), "Vi vil mere.").unwrap();
        assert_eq!((first.document.number, second.document.number), (1, 2));
        assert_ne!(asked.bound_to(&first), asked.bound_to(&second));
        assert_eq!(
            change(second.clone(), "Vi vil mere.").unwrap().document.number,
            2,
            "the same words are no new version"
        );
        assert_eq!(change(second.frozen(now()), "Nej"), Err(Situation::Frozen));
    }

    #[test]
    fn an_answer_is_given_once_and_in_time() {
        let letter = letter();
        let until = at("2026-12-22T08:00:00Z");
        let asked = signatory(&letter).asked(until);
        assert_eq!(signatory(&letter).sign(&letter, now()), Err(Situation::Settled), "nobody asked yet");
        assert_eq!(asked.clone().sign(&letter, at("2026-12-22T08:00:01Z")), Err(Situation::Settled));
        let signed = asked.clone().sign(&letter, until).unwrap();
        assert_eq!(signed.clone().decline("nej".into(), now()), Err(Situation::Settled));
        assert_eq!(signed.withdraw("nyt råd".into(), now()).unwrap().state.word(), "withdrawn");
        assert_eq!(asked.withdraw("x".into(), now()), Err(Situation::NotSigned));
    }

    #[test]
    fn who_comes_after_the_freeze_signs_an_addendum_and_supporters_never_the_letter() {
        let (named, late) = (OrganisationId::from_bytes([1; 16]), OrganisationId::from_bytes([2; 16]));
        assert_eq!(kind_for(&letter(), late, Role::NeedOwner), Kind::Letter);
        let frozen = letter().frozen(now());
        assert_eq!(kind_for(&frozen, late, Role::NeedOwner), Kind::Addendum);
        assert_eq!(kind_for(&frozen, named, Role::NeedOwner), Kind::Letter);
        assert_eq!(kind_for(&letter(), named, Role::Supporter), Kind::Declaration);
    }

    proptest! {
        /// Whatever is done in whatever order, all signatures on the letter are on one and the same text.
        #[test]
        fn no_sequence_of_deeds_gives_signatures_on_two_texts(deeds in prop::collection::vec((0_usize..5, 0_usize..3), 0..30)) {
            let mut letter = letter();
            let mut signatories: Vec<Signatory> = (0..3).map(|_| signatory(&letter)).collect();
            // The links that are out: what each was bound to when it was sent.
            let mut links: Vec<Option<String>> = vec![None; 3];
            for (step, (deed, who)) in deeds.into_iter().enumerate() {
                match deed {
                    0 => if let Ok(changed) = change(letter.clone(), &format!("Udgave {step}")) { letter = changed },
                    1 => if let Ok(sent) = letter.clone().send(0, 1, now()) { letter = sent },
                    2 if signatories[who].is_open() => {
                        signatories[who] = signatories[who].clone().asked(at("2026-12-22T08:00:00Z"));
                        links[who] = Some(signatories[who].bound_to(&letter));
                    }
                    3 if links[who].as_ref() == Some(&signatories[who].bound_to(&letter)) && letter.status == Status::Signing => {
                        if let Ok(signed) = signatories[who].clone().sign(&letter, now()) {
                            signatories[who] = signed;
                            letter = letter.frozen(now());
                        }
                    }
                    _ => if let Ok(declined) = signatories[who].clone().decline("nej".into(), now()) { signatories[who] = declined },
                }
            }
            let signed = signatories.iter().filter_map(|one| match &one.state {
                SignatoryState::Signed { sha256, .. } => Some(sha256.clone()),
                _ => None,
            });
            for sha256 in signed {
                prop_assert_eq!(sha256, letter.document.sha256());
            }
        }
    }
}
