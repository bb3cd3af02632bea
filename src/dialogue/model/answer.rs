//! What a supplier answers to the questions of a notice, in writing.

use crate::kernel::{Id, Instant, Language, digest};

use super::Dialogue;

/// A written answer, as it was received; never changed. Who answers again adds another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenAnswer {
    pub id: Id<WrittenAnswer>,
    pub dialogue_id: Id<Dialogue>,
    pub company: String,
    pub cvr: Option<String>,
    pub name: String,
    pub email: String,
    /// One text for each question of the notice, in their order.
    pub answers: Vec<String>,
    /// What is not to be shown to others, kept apart.
    pub confidential: Option<String>,
    pub received_at: Instant,
    /// Received after the answer deadline, to the second.
    pub late: bool,
    /// The language of the receipt.
    pub language: Language,
}

impl WrittenAnswer {
    /// SHA-256 of what was received: supplier and staff can show that they hold the same words.
    #[must_use]
    pub fn receipt(&self) -> String {
        let parts = [&self.company, &self.name, &self.email].into_iter().chain(&self.answers).chain(&self.confidential);
        let written: Vec<u8> = parts.flat_map(|part| [part.as_bytes(), &[0]].concat()).collect();
        digest(&written)
    }
}
