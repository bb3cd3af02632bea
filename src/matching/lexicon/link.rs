//! Ties concepts together: every reference is resolved, and no concept is broader than itself.

use std::collections::{BTreeMap, BTreeSet};

use super::Concept;
use super::parse::{Block, Fault, Flaw};
use crate::matching::number::{at, id};
use crate::matching::text::language::Language;

/// A file's blocks under its field's name.
pub struct FieldFile {
    pub field: String,
    pub blocks: Vec<Block>,
}

/// How a concept refers to another.
#[derive(Clone, Copy)]
enum Tie {
    Broader,
    Related,
    Same,
}

/// Makes concepts of all files; a block whose id is known extends that concept.
pub fn link(files: Vec<FieldFile>) -> Result<(Vec<String>, Vec<Concept>), Vec<Flaw>> {
    let mut fields: Vec<String> = Vec::new();
    for file in &files {
        if !fields.contains(&file.field) {
            fields.push(file.field.clone());
        }
    }
    let mut concepts: Vec<Concept> = Vec::new();
    let mut by_id: BTreeMap<String, u32> = BTreeMap::new();
    let mut lines: Vec<usize> = Vec::new();
    let mut references: Vec<(String, usize, u32, String, Tie)> = Vec::new();
    for file in files {
        let field = fields.iter().position(|field| *field == file.field).unwrap_or_default();
        for block in file.blocks {
            let full = qualified(&file.field, &block.id);
            let number = *by_id.entry(full.clone()).or_insert_with(|| {
                lines.push(block.line);
                concepts.push(Concept {
                    is_field: file.field == block.id,
                    id: full.clone(),
                    gloss: block.gloss.clone(),
                    field: id(field),
                    terms: Vec::new(),
                    broader: Vec::new(),
                    related: Vec::new(),
                    same_as: Vec::new(),
                });
                id(concepts.len() - 1)
            });
            if let Some(concept) = concepts.get_mut(at(number)) {
                for term in block.terms {
                    if !concept.terms.contains(&term) {
                        concept.terms.push(term);
                    }
                }
            }
            let told = [(Tie::Broader, block.broader), (Tie::Related, block.related), (Tie::Same, block.same_as)];
            for (tie, wanted) in told.into_iter().flat_map(|(tie, list)| list.into_iter().map(move |id| (tie, id))) {
                references.push((file.field.clone(), block.line, number, wanted, tie));
            }
        }
    }
    let mut flaws = Vec::new();
    for (field, line, from, wanted, tie) in references {
        let found = by_id
            .get(&qualified(&field, &wanted))
            .or_else(|| by_id.get(&qualified(&wanted, &wanted)))
            .or_else(|| by_id.get(&wanted));
        match (found, concepts.get_mut(at(from))) {
            (Some(to), Some(concept)) => {
                let list = match tie {
                    Tie::Broader => &mut concept.broader,
                    Tie::Related => &mut concept.related,
                    Tie::Same => &mut concept.same_as,
                };
                if *to != from && !list.contains(to) {
                    list.push(*to);
                }
            }
            _ if fields.contains(&wanted) => {}
            _ => flaws.push(Flaw { file: field, line, what: Fault::UnknownConcept(wanted) }),
        }
    }
    flaws.extend(circles(&fields, &concepts, &lines));
    if flaws.is_empty() { Ok((fields, concepts)) } else { Err(flaws) }
}

fn qualified(field: &str, id: &str) -> String {
    if id.contains('.') { id.to_owned() } else { format!("{field}.{id}") }
}

fn circles(fields: &[String], concepts: &[Concept], lines: &[usize]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (start, concept) in concepts.iter().enumerate() {
        let mut seen = BTreeSet::new();
        let mut open: Vec<u32> = concept.broader.clone();
        while let Some(next) = open.pop() {
            if next == id(start) {
                let file = fields.get(at(concept.field)).cloned().unwrap_or_default();
                let line = lines.get(start).copied().unwrap_or_default();
                flaws.push(Flaw { file, line, what: Fault::Circle(concept.id.clone()) });
                break;
            }
            if seen.insert(next) {
                open.extend(concepts.get(at(next)).iter().flat_map(|concept| &concept.broader));
            }
        }
    }
    flaws
}

/// The terms of a concept in one language.
pub fn terms_in(concept: &Concept, language: Language) -> impl Iterator<Item = &str> {
    concept.terms.iter().filter(move |(of, _)| *of == language).map(|(_, term)| term.as_str())
}
