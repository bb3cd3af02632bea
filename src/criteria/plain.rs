//! The criteria in the words of somebody who has never read one: what stands before the field when anybody may suggest.

use super::{Criterion, ReductionKind, Rule};
use crate::kernel::{Text, text};

impl Criterion {
    /// What it asks for, in plain words.
    #[must_use]
    pub fn plain(&self) -> Text {
        match &self.rule {
            Rule::TimeSavings { .. } => text!(
                "Det skal frigive tid: Fortæl, hvem der bruger tiden i dag, og hvor tit. At noget bliver bedre, tæller kun, hvis det også sparer tid.",
                "It must free time: tell who spends the time today, and how often. That something gets better counts only if it saves time as well."
            ),
            Rule::Reduction { kinds } => {
                let (da, en) = (listed(kinds, "eller", |text| text.da), listed(kinds, "or", |text| text.en));
                text!("Der skal bruges eller udledes mindre: {da}.", "Less must be used or emitted: {en}.")
            }
            Rule::Scale { .. } => text!(
                "Andre skal kunne kende det: Problemet skal findes flere steder end hos jer, så der bliver brug for meget af løsningen.",
                "Others must know it too: the problem must be found in more places than yours, so that much of the solution is needed."
            ),
            Rule::Anchoring { .. } => text!(
                "Toppen skal kunne stå bag, både politisk og administrativt. Det behøver ikke være på plads, når du skriver.",
                "The top must be able to stand behind it, politically and administratively. That need not be in place when you write."
            ),
        }
    }
}

fn listed(kinds: &[ReductionKind], or: &str, pick: fn(Text) -> String) -> String {
    let words: Vec<String> = kinds.iter().map(|kind| pick(name(*kind))).collect();
    match words.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} {or} {last}", first.join(", ")),
        _ => words.concat(),
    }
}

fn name(kind: ReductionKind) -> Text {
    match kind {
        ReductionKind::Co2 => text!("CO2", "CO2"),
        ReductionKind::RawMaterial => text!("råstoffer", "raw material"),
        ReductionKind::Energy => text!("energi", "energy"),
        ReductionKind::Other => text!("andet", "something else"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_kinds_are_listed_as_one_says_them() {
        let kinds = [ReductionKind::Co2, ReductionKind::RawMaterial, ReductionKind::Energy];
        assert_eq!(listed(&kinds, "eller", |text| text.da), "CO2, råstoffer eller energi");
        assert_eq!(listed(&kinds[..1], "eller", |text| text.da), "CO2");
    }
}
