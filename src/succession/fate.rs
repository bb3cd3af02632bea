//! What becomes of everything that names an organisation.

/// What happens to a row when the body that it names is carried on by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It names the successor from then on.
    Passes,
    /// It goes on naming the body: it says what was done.
    Stays,
    /// What is open passes on; what is settled stays.
    PassesWhileOpen,
}

/// One place where an organisation is named: table, column, what becomes of it, and why.
pub type Place = (&'static str, &'static str, Fate, &'static str);

/// Every place in the database that names an organisation. A test holds this to the tables.
#[rustfmt::skip]
pub const PLACES: [Place; 20] = [
    ("organisation", "successor_id", Fate::Stays, "what passes on twice goes through both, and arrives in the end"),
    ("fact", "actor_organisation_id", Fate::Stays, "history says under which name it was done"),
    ("user_account", "organisation_id", Fate::Passes, "people, with their sessions and keys; told by mail"),
    ("challenge", "organisation_id", Fate::Passes, "whatever their stage, each with id, text and history"),
    ("recognition", "organisation_id", Fate::Passes, "the word that counts; two become one, and the earlier is kept"),
    ("process", "lead_organisation_id", Fate::Passes, "somebody leads"),
    ("participant", "organisation_id", Fate::Passes, "there up to the last day, the successor from its first; a signature stays"),
    ("commitment", "organisation_id", Fate::Passes, "the one that counts; two become one, and the earlier is kept"),
    ("commitment", "figures", Fate::Passes, "as its column says"),
    ("letter_of_intent", "bodies", Fate::Stays, "the bodies that the text names; staff make a draft's text anew"),
    ("letter_comment", "organisation_id", Fate::Stays, "who said it"),
    ("signatory", "organisation_id", Fate::PassesWhileOpen, "who signed did; the successor's signatory is asked anew"),
    ("adoption", "organisation_id", Fate::Stays, "who took a solution over did; the successor goes on telling of it"),
    ("dialogue", "notice", Fate::PassesWhileOpen, "the lead buyer of what is not published; published words stay"),
    ("dialogue_version", "notice", Fate::PassesWhileOpen, "a version that is scheduled; published words stay"),
    ("needs_inbox", "organisation_id", Fate::Passes, "at the address that hangs on the wall"),
    ("need", "organisation_id", Fate::Passes, "with its way back from challenge and process"),
    ("need_recognition", "organisation_id", Fate::Passes, "what was a body is a department now"),
    ("suggestion", "organisation_id", Fate::Passes, "the invitation and its link, or the way back from the challenge"),
    ("support_request", "organisation_id", Fate::PassesWhileOpen, "who waits for help; who was helped was"),
];
