//! Reads a lexicon file: blocks of lines, a concept each, or a whole concept on one line.
//!
//! ```text
//! fald: En person falder eller er ved at falde
//!   da: fald, falde, ligger på gulvet
//!   en: fall, lying on the floor
//!   broader: sikkerhed
//!
//! nødkald: Et kald om hjælp | da: nødkald, nødknap | broader: sikkerhed | same_as: hospital.patientkald
//! ```
//!
//! `broader`, `related` and `same_as` name concepts of this file, or of another as `field.concept`.

use crate::matching::text::language::Language;

/// A concept as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub line: usize,
    pub id: String,
    pub gloss: String,
    pub terms: Vec<(Language, String)>,
    pub broader: Vec<String>,
    pub related: Vec<String>,
    /// Concepts of other fields that are the same matter.
    pub same_as: Vec<String>,
}

/// What is wrong in a lexicon file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct Flaw {
    pub file: String,
    pub line: usize,
    pub what: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("a concept begins with `id: gloss`, without an indent")]
    NoHead,
    #[error("`{0}` is no id: lower-case letters, digits and `_`")]
    UnfitId(String),
    #[error("the concept `{0}` has no gloss")]
    NoGloss(String),
    #[error("the concept `{0}` is written twice in this file")]
    Twice(String),
    #[error("`{0}` is none of da, nb, sv, en, broader, related, same_as")]
    UnknownLabel(String),
    #[error("an indented line stands before the first concept")]
    Homeless,
    #[error("an empty term; is there a comma too many?")]
    EmptyTerm,
    #[error("the concept `{0}` has no terms")]
    NoTerms(String),
    #[error("`{0}` is neither a concept of this file, nor `field.concept`, nor a field")]
    UnknownConcept(String),
    #[error("the broader concepts of `{0}` lead back to itself")]
    Circle(String),
}

/// All concepts of one file, or all that is wrong with it.
pub fn parse(file: &str, text: &str) -> Result<Vec<Block>, Vec<Flaw>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut flaws = Vec::new();
    let mut open = false;
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = at + 1;
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        if line.trim_start().starts_with('#') {
            continue;
        }
        let mut parts = line.split(" | ").map(str::trim);
        let mut fault = None;
        if !line.starts_with(char::is_whitespace) {
            open = false;
            match parts.next().ok_or(Fault::NoHead).and_then(head) {
                Ok((id, _)) if blocks.iter().any(|block| block.id == id) => {
                    fault = Some(Fault::Twice(id));
                }
                Ok((id, gloss)) => {
                    blocks.push(Block {
                        line: number,
                        id,
                        gloss,
                        terms: Vec::new(),
                        broader: Vec::new(),
                        related: Vec::new(),
                        same_as: Vec::new(),
                    });
                    open = true;
                }
                Err(wrong) => fault = Some(wrong),
            }
        }
        match blocks.last_mut() {
            Some(block) if open => {
                for part in parts {
                    fault = fault.or(entry(block, part).err());
                }
            }
            // The lines under a head that could not be read are part of the same fault.
            _ if fault.is_some() || !flaws.is_empty() => {}
            _ => fault = Some(Fault::Homeless),
        }
        if let Some(what) = fault {
            flaws.push(Flaw { file: file.to_owned(), line: number, what });
        }
    }
    for block in blocks.iter().filter(|block| block.terms.is_empty()) {
        let what = Fault::NoTerms(block.id.clone());
        flaws.push(Flaw { file: file.to_owned(), line: block.line, what });
    }
    if flaws.is_empty() { Ok(blocks) } else { Err(flaws) }
}

fn head(text: &str) -> Result<(String, String), Fault> {
    let (id, gloss) = text.split_once(':').ok_or(Fault::NoHead)?;
    let id = id.trim();
    let fit = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '_' | '.');
    if id.is_empty() || !id.chars().all(fit) {
        return Err(Fault::UnfitId(id.to_owned()));
    }
    if gloss.trim().is_empty() {
        return Err(Fault::NoGloss(id.to_owned()));
    }
    Ok((id.to_owned(), gloss.trim().to_owned()))
}

fn entry(block: &mut Block, text: &str) -> Result<(), Fault> {
    let (label, items) = text.split_once(':').ok_or_else(|| Fault::UnknownLabel(text.to_owned()))?;
    let items = items.split(',').map(str::trim);
    if items.clone().any(|item| item.is_empty() || item.contains(['|', ':'])) {
        return Err(Fault::EmptyTerm);
    }
    let items = items.map(str::to_owned);
    match (label.trim(), Language::from_tag(label.trim())) {
        ("broader", _) => block.broader.extend(items),
        ("related", _) => block.related.extend(items),
        ("same_as", _) => block.same_as.extend(items),
        (_, Some(language)) => block.terms.extend(items.map(|item| (language, item))),
        (other, None) => return Err(Fault::UnknownLabel(other.to_owned())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn only_fault(text: &str) -> (usize, Fault) {
        let flaws = parse("prøve", text).unwrap_err();
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        (flaws[0].line, flaws[0].what.clone())
    }

    #[test]
    fn a_block_and_a_single_line_say_the_same() {
        let block = "fald: Et fald\n  da: fald, falde\n  en: fall\n  broader: prøve\n";
        let line = "fald: Et fald | da: fald, falde | en: fall | broader: prøve";
        assert_eq!(parse("prøve", block), parse("prøve", line));
    }

    #[test]
    fn a_fault_names_file_and_line() {
        let flaws = parse("prøve", "fald: Et fald\n  da: fald,, falde\n").unwrap_err();
        assert!(flaws[0].to_string().starts_with("prøve, line 2: an empty term"));
    }

    #[test]
    fn each_fault_is_told_apart() {
        assert_eq!(only_fault("fald\n").1, Fault::NoHead);
        assert_eq!(only_fault("Et Fald: x\n  da: y\n").1, Fault::UnfitId("Et Fald".into()));
        assert_eq!(only_fault("fald:\n").1, Fault::NoGloss("fald".into()));
        assert_eq!(only_fault("  da: fald\n").1, Fault::Homeless);
        assert_eq!(only_fault("a: x\n  fi: y\n  da: z\n").1, Fault::UnknownLabel("fi".into()));
        assert_eq!(only_fault("a: x\n\nb: y | da: y\n"), (1, Fault::NoTerms("a".into())));
        assert_eq!(only_fault("a: x | da: x\na: y | da: y\n"), (2, Fault::Twice("a".into())));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,200}", lines in "[a-z:,|# \n]{0,200}") {
            let _ = parse("prøve", &text);
            let _ = parse("prøve", &lines);
        }
    }
}
