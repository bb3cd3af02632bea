//! The concepts of public work: what people mean, beside the words they use for it.
//!
//! A concept is one need, symptom, task, thing, place or wanted effect, with the words for it in
//! four languages. Concepts of a field form a tree under the field itself; a concept may also be
//! related to others. The files beside this module hold them, a field each; to add a concept, add
//! a line to the file of its field (see [`parse`]). Matters that several fields have in common stand
//! in `tværgående.txt`, each with the concepts of the fields that are this matter there.

mod embedded;
pub mod house;
mod link;
mod neighbours;
pub mod parse;
mod terms;

use std::collections::BTreeSet;

use crate::matching::atom::Atom;
use crate::matching::number::at;
use crate::matching::text::language::Language;
use crate::matching::text::reader::{Reader, Word};
use link::FieldFile;
pub use neighbours::Nearness;
use parse::Flaw;
pub use terms::Found;
use terms::Terms;

/// One concept, linked to its neighbours by their position in the lexicon.
#[derive(Debug)]
pub struct Concept {
    /// The field and the name in it, as `hjemmepleje.natligt_tilsyn`.
    pub id: String,
    pub gloss: String,
    pub field: u32,
    /// Stands for its field as a whole.
    pub is_field: bool,
    pub terms: Vec<(Language, String)>,
    pub broader: Vec<u32>,
    pub related: Vec<u32>,
    /// The same matter in other fields.
    pub same_as: Vec<u32>,
}

impl Concept {
    /// What a person reads for this concept: its first term in the language. In Danish its own name where that is a
    /// term or stands for several fields: such names are plain words, others tell the field apart (`uro_støj_psyk`).
    pub fn name(&self, language: Language) -> String {
        let own = self.id.rsplit('.').next().unwrap_or(&self.id).replace('_', " ");
        let is_plain = || !self.same_as.is_empty() || link::terms_in(self, Language::Danish).any(|term| term == own);
        if language == Language::Danish && is_plain() {
            return own;
        }
        link::terms_in(self, language).next().map_or(own, str::to_owned)
    }
}

/// All concepts, and the reader that knows their words.
pub struct Lexicon {
    reader: Reader,
    fields: Vec<String>,
    concepts: Vec<Concept>,
    field_of_each: Vec<u32>,
    terms: Terms,
    neighbours: Vec<Vec<(u32, f32)>>,
    kin: Vec<Vec<(u32, f32)>>,
}

impl Lexicon {
    /// The lexicon that is part of the program.
    pub fn embedded() -> Result<Lexicon, Vec<Flaw>> {
        Lexicon::with(&[])
    }

    /// The embedded lexicon and an operator's own files (field name and text): a known field is
    /// added to, a known id is extended, a new name is a new field.
    pub fn with(own: &[(&str, &str)]) -> Result<Lexicon, Vec<Flaw>> {
        let embedded: Vec<_> = embedded::files().collect();
        let embedded = embedded.iter().map(|(field, text)| (*field, text.as_str()));
        let files: Vec<_> = embedded.chain(own.iter().copied()).collect();
        Lexicon::of(&files, Nearness::default())
    }

    /// A lexicon of these files alone.
    pub fn of(files: &[(&str, &str)], nearness: Nearness) -> Result<Lexicon, Vec<Flaw>> {
        let mut read = Vec::new();
        let mut flaws = Vec::new();
        for (field, text) in files {
            match parse::parse(field, text) {
                Ok(blocks) => read.push(FieldFile { field: (*field).to_owned(), blocks }),
                Err(found) => flaws.extend(found),
            }
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let (fields, concepts) = link::link(read)?;
        let texts = concepts.iter().flat_map(|concept| &concept.terms);
        let reader = Reader::knowing(texts.map(|(language, term)| (*language, term.as_str())));
        let terms = Terms::of(&concepts, &reader);
        let neighbours = neighbours::neighbours(&concepts, &terms, nearness);
        let kin = neighbours::kin(&neighbours);
        let field_of_each = concepts.iter().map(|concept| concept.field).collect();
        Ok(Lexicon { reader, fields, concepts, field_of_each, terms, neighbours, kin })
    }

    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    pub fn len(&self) -> usize {
        self.concepts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.concepts.is_empty()
    }

    pub fn concept(&self, number: u32) -> Option<&Concept> {
        self.concepts.get(at(number))
    }

    /// The name of a field, for people: `veje broer`.
    pub fn field_name(&self, field: u32) -> String {
        self.fields.get(at(field)).map(|name| name.replace('_', " ")).unwrap_or_default()
    }

    /// The field of each concept, by the concept's number: in one row, since each text that is read goes through all.
    pub fn field_of_each(&self) -> &[u32] {
        &self.field_of_each
    }

    pub fn field_count(&self) -> usize {
        self.fields.len()
    }

    /// How many distinct terms there are, counted per language.
    pub fn term_count(&self) -> usize {
        self.concepts.iter().map(|c| c.terms.iter().collect::<BTreeSet<_>>().len()).sum()
    }

    /// The concepts that these words speak of, each with how strongly (most about 1).
    pub fn find(&self, words: &[std::sync::Arc<Word>]) -> Found {
        self.terms.find(words)
    }

    /// A concept with its neighbours, each with how near it is (itself 1).
    pub fn near(&self, number: u32) -> &[(u32, f32)] {
        self.neighbours.get(at(number)).map_or(&[], Vec::as_slice)
    }

    /// Concepts whose neighbourhoods overlap this one's, with how much (itself 1).
    pub fn kin(&self, number: u32) -> &[(u32, f32)] {
        self.kin.get(at(number)).map_or(&[], Vec::as_slice)
    }

    /// How rare a word is (see [`Lexicon::rarity`]), and the concepts it may belong to, with its share of each.
    pub fn known(&self, atom: Atom) -> Option<(f32, &[(u32, f32)])> {
        self.terms.known(atom)
    }

    /// How rare a word is in the lexicon: 1 for a word of one concept, towards 0 for a word of all.
    pub fn rarity(&self, atom: Atom) -> Option<f32> {
        self.terms.rarity(atom)
    }
}
