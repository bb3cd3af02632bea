//! The rules: for each kind of criterion one pure function from evidence to a finding.
//!
//! | criterion | met | unclear | not met |
//! |---|---|---|---|
//! | time savings | hours ≥ the threshold, and how they are known | a factor is missing | better quality alone; hours below the threshold |
//! | reduction | a quantity of a kind that counts | not said | nothing saved; another kind |
//! | scale | enough other bodies, and volume behind them | bodies without volume; bodies not named | nobody else: a purely local problem |
//! | anchoring | a political and an administrative sponsor, by name or by their own word where the set asks for it | one of them, none, one person twice, or asked again after a no | one of them says no |
//!
//! Whatever speaks for a challenge leaves its verdict as it is or makes it better, and each finding that is not met names
//! the fields that would turn it; property tests hold the rules to both.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{
    Assessment, Backing, Basis, Change, CriteriaSet, Evidence, Outcome, Reduction, ReductionKind, Rule, Scale, Side,
    TimeSavings, Verdict,
};
use crate::kernel::{Instant, Text, figure, fold, hours_text, text};

/// Holds evidence against a criteria set.
#[must_use]
pub fn assess(set: &CriteriaSet, evidence: &Evidence, now: Instant) -> Assessment {
    let judge = |rule: &Rule| match rule {
        Rule::TimeSavings { min_hours_per_year } => time_savings(evidence.time_savings.as_ref(), *min_hours_per_year),
        Rule::Reduction { kinds } => reduction(evidence.reduction.as_ref(), kinds),
        Rule::Scale { min_other_bodies } => scale(evidence, *min_other_bodies),
        Rule::Anchoring { must_be_confirmed } => anchoring(evidence, *must_be_confirmed),
    };
    let criteria: Vec<Outcome> = set.body.criteria.iter().map(|c| judge(&c.rule).named(&c.key)).collect();
    let hours_per_year = evidence.time_savings.as_ref().and_then(TimeSavings::hours);
    Assessment {
        criteria_set: set.key.clone(),
        version: set.version,
        outcome: criteria.iter().map(|criterion| criterion.verdict).min().unwrap_or(Verdict::Unclear),
        criteria,
        hours_per_year: hours_per_year.map(round),
        full_time_equivalents: hours_per_year.map(|hours| round(hours / set.body.hours_per_full_time_equivalent)),
        assessed_at: now,
    }
}

/// To two decimals: the figures are estimates and should not look like measurements.
fn round(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

/// The least whole figure that reaches a threshold; thresholds are above 0 and at most 100,000,000.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::as_conversions,
    reason = "within bounds, and whole"
)]
fn whole(threshold: f64) -> u64 {
    threshold.ceil() as u64
}

struct Finding {
    verdict: Verdict,
    reasons: Vec<Text>,
    facts: Map<String, Value>,
    remedy: Option<Remedy>,
}

/// The smallest change that turns a verdict: in words, and field by field.
struct Remedy {
    words: Text,
    changes: Vec<Change>,
}

/// A field to state, whatever it says.
fn state(pointer: &str) -> Change {
    Change { pointer: pointer.to_owned(), at_least: None }
}

/// A figure to state, of at least this.
fn at_least(pointer: &str, least: u64) -> Change {
    Change { pointer: pointer.to_owned(), at_least: Some(least) }
}

impl Finding {
    fn met(reason: Text, facts: Value) -> Self {
        Self::new(Verdict::Met, reason, facts)
    }

    fn new(verdict: Verdict, reason: Text, facts: Value) -> Self {
        let facts = facts.as_object().cloned().unwrap_or_default();
        Self { verdict, reasons: vec![reason], facts, remedy: None }
    }

    fn turned_by(self, words: Text, changes: impl Into<Vec<Change>>) -> Self {
        Self { remedy: Some(Remedy { words, changes: changes.into() }), ..self }
    }

    fn named(self, key: &str) -> Outcome {
        let Self { verdict, reasons, facts, remedy } = self;
        let (to_change, changes) = remedy.map_or((None, Vec::new()), |r| (Some(r.words), r.changes));
        Outcome { key: key.to_owned(), verdict, reasons, facts, to_change, changes }
    }
}

fn time_savings(given: Option<&TimeSavings>, least: f64) -> Finding {
    let needed = whole(least);
    let hours_in_all = [at_least("/time_savings/hours_per_year", needed)];
    let Some(given) = given else {
        let reason = text!("Der står ikke, hvor meget tid der frigives", "It does not say how much time is freed");
        let words = text!(
            "Angiv timer om året, eller minutter pr. gang, gange om ugen og antal medarbejdere, og hvordan I ved det",
            "State hours a year, or minutes each time, times a week and number of staff, and how you know"
        );
        let [hours] = hours_in_all;
        let changes = [hours, state("/time_savings/basis")];
        return Finding::new(Verdict::Unclear, reason, json!({})).turned_by(words, changes);
    };
    let mut facts = json!({
        "basis": given.basis, "quality_gain": given.quality_gain.unwrap_or(false), "min_hours_per_year": least,
    });
    let factors = [
        ("minutes_per_occasion", given.minutes_per_occasion, text!("minutter pr. gang", "minutes each time")),
        ("occasions_per_week", given.occasions_per_week, text!("gange om ugen", "times a week")),
        ("staff_count", given.staff_count, text!("antal medarbejdere", "number of staff")),
        ("hours_per_year", given.hours_per_year, text!("timer om året", "hours a year")),
    ];
    if let Some(facts) = facts.as_object_mut() {
        facts.extend(factors.iter().filter_map(|(name, value, _)| Some(((*name).to_owned(), json!((*value)?)))));
    }
    let Some(hours) = given.hours() else {
        let said_nothing = factors.iter().all(|(_, value, _)| value.is_none());
        if said_nothing && given.quality_gain == Some(true) {
            let reason = text!(
                "Bedre kvalitet alene er ikke nok: der skal også frigives tid",
                "Better quality alone is not enough: time must be freed as well"
            );
            let words = text!(
                "Angiv, hvor mange timer om året der også frigives (mindst {needed}), og for hvem",
                "State how many hours a year are freed as well (at least {needed}), and for whom"
            );
            return Finding::new(Verdict::NotMet, reason, facts).turned_by(words, hours_in_all);
        }
        let missing: Vec<&Text> =
            factors.iter().take(3).filter(|(_, value, _)| value.is_none()).map(|(_, _, name)| name).collect();
        let (da, en) = (list(&missing, |t| &t.da, "og"), list(&missing, |t| &t.en, "and"));
        let reason = text!("Tiden kan ikke regnes ud: {da} mangler", "The time cannot be worked out: {en} is missing");
        let words = text!(
            "Angiv {da}, eller timer om året i alt (mindst {needed})",
            "State {en}, or hours a year in all (at least {needed})"
        );
        return Finding::new(Verdict::Unclear, reason, facts).turned_by(words, hours_in_all);
    };
    let (Text { da, en }, basis) = (hours_text(round(hours)), basis(given.basis));
    if hours < least {
        let (least, needed) = (figure(needed), hours_text(needed));
        let (least_da, least_en) = (least.da, least.en);
        let reason =
            text!("{da} om året er under kriteriets {least_da}", "{en} a year is below the criterion's {least_en}");
        let (da, en) = (needed.da, needed.en);
        let words = text!("Vis, at der frigives mindst {da} om året", "Show that at least {en} a year can be freed");
        return Finding::new(Verdict::NotMet, reason, facts).turned_by(words, hours_in_all);
    }
    let (basis_da, basis_en) = (basis.da, basis.en);
    let reason = text!("Der frigives {da} om året ({basis_da})", "Frees {en} a year ({basis_en})");
    let mut finding = Finding::met(reason, facts);
    if given.basis == Basis::Assumed {
        finding.reasons.push(text!(
            "Tallet er en antagelse; en måling over en uge gør det stærkere",
            "The figure is assumed; a week's measurement would make it stronger"
        ));
    }
    finding
}

fn basis(basis: Basis) -> Text {
    match basis {
        Basis::Measured => text!("målt", "measured"),
        Basis::Estimated => text!("anslået", "estimated"),
        Basis::Assumed => text!("antaget", "assumed"),
    }
}

fn list(texts: &[&Text], language: impl Fn(&Text) -> &String, and: &str) -> String {
    let words: Vec<&str> = texts.iter().map(|text| language(text).as_str()).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {and} {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}

fn reduction(given: Option<&Reduction>, kinds: &[ReductionKind]) -> Finding {
    let ask = || {
        text!(
            "Angiv, hvor meget der spares om året, i hvilken enhed, og hvordan I ved det",
            "State how much is saved a year, in which unit, and how you know"
        )
    };
    let Some(given) = given else {
        let reason = text!(
            "Der står ikke, hvor meget udledning eller ressourceforbrug der spares",
            "It does not say how much emission or use of resources is saved"
        );
        let changes = ["kind", "quantity", "unit", "basis"].map(|field| state(&format!("/reduction/{field}")));
        return Finding::new(Verdict::Unclear, reason, json!({"kinds": kinds})).turned_by(ask(), changes);
    };
    let facts = json!({
        "kind": given.kind, "quantity": given.quantity, "unit": given.unit, "basis": given.basis, "kinds": kinds,
    });
    let nothing_saved = given.quantity <= 0.0;
    if !kinds.contains(&given.kind) {
        let reason = text!(
            "Den slags besparelse tæller ikke i denne indkaldelse",
            "That kind of saving does not count in this call"
        );
        let words = text!("Angiv en besparelse af en slags, der tæller", "State a saving of a kind that counts");
        let mut changes = vec![state("/reduction/kind")];
        changes.extend(nothing_saved.then(|| state("/reduction/quantity")));
        return Finding::new(Verdict::NotMet, reason, facts).turned_by(words, changes);
    }
    if nothing_saved {
        let reason = text!("Besparelsen er nul", "The saving is zero");
        return Finding::new(Verdict::NotMet, reason, facts).turned_by(ask(), [state("/reduction/quantity")]);
    }
    let (quantity, unit, basis) = (round(given.quantity), &given.unit, basis(given.basis));
    let (da, en) = (basis.da, basis.en);
    let reason = text!("Der spares {quantity} {unit} ({da})", "{quantity} {unit} are saved ({en})");
    Finding::met(reason, facts)
}

/// One body under its several spellings: letter case, spacing, aa for å, with or without "Kommune".
fn body_key(name: &str) -> String {
    let words = fold(name).replace('å', "aa");
    let words: Vec<&str> =
        words.split_whitespace().filter(|word| !matches!(*word, "kommune" | "municipality")).collect();
    words.join(" ")
}

fn scale(evidence: &Evidence, least: u32) -> Finding {
    let nothing = Scale::default();
    let given = evidence.scale.as_ref().unwrap_or(&nothing);
    // Each other body once, whether it came by itself or was only named; never the owner.
    let mut seen: HashSet<String> = evidence.owner.as_deref().map(body_key).into_iter().collect();
    let mut fresh = |name: &str| seen.insert(body_key(name));
    let recognised = evidence.recognitions.iter().filter(|r| fresh(&r.organisation)).count();
    let named = given.known_bodies.iter().flatten().filter(|name| fresh(name)).count();
    let others = recognised + named;
    let volume = given.has_volume() || evidence.recognitions.iter().any(|recogniser| recogniser.has_volume);
    let more = u64::from(least).saturating_sub(u64::try_from(others).unwrap_or(u64::MAX));

    let facts = json!({
        "recognising_bodies": recognised, "named_bodies": named, "other_bodies": others,
        "estimated_bodies": given.estimated_bodies, "has_volume": volume, "min_other_bodies": least,
    });
    let how_much = || {
        text!(
            "Angiv volumen: antal, årlig værdi eller hvor mange det berører",
            "State the volume: a quantity, a yearly value or how many people it touches"
        )
    };
    let some_volume = || at_least("/scale/affected_people", 1);
    let Text { da, en } = organisations(u64::try_from(others).unwrap_or(u64::MAX));
    if more == 0 && volume {
        let reason =
            text!("Udfordringen deles af {da}, og der er volumen bag", "Shared by {en}, and there is volume behind it");
        return Finding::met(reason, facts);
    }
    if more == 0 {
        let reason = text!(
            "Udfordringen deles af {da}, men der står ikke, hvor meget det drejer sig om",
            "Shared by {en}, but it does not say how much there is of it"
        );
        return Finding::new(Verdict::Unclear, reason, facts).turned_by(how_much(), [some_volume()]);
    }
    let said_who = given.known_bodies.is_some() || given.estimated_bodies.is_some();
    let local = others == 0 && said_who && given.estimated_bodies.is_none_or(|bodies| bodies <= 1);
    let (verdict, reason) = if local {
        let reason = text!(
            "Det ser ud til at være et lokalt problem: ingen andre har det",
            "It looks like a local problem: nobody else has it"
        );
        (Verdict::NotMet, reason)
    } else if others > 0 {
        let reason = text!(
            "Udfordringen deles af {da}; kriteriet beder om {least}",
            "Shared by {en}; the criterion asks for {least}"
        );
        (Verdict::Unclear, reason)
    } else {
        let reason =
            text!("Det er ikke vist, hvem andre der har udfordringen", "It is not shown who else has the challenge");
        (Verdict::Unclear, reason)
    };
    let Text { da, en } = organisations(more);
    let who = text!(
        "Få {da} til at sige \"det har vi også\", eller nævn dem ved navn",
        "Get {en} to say \"so do we\", or name them"
    );
    let mut changes = vec![at_least("/scale/known_bodies", more)];
    if volume {
        return Finding::new(verdict, reason, facts).turned_by(who, changes);
    }
    let how_much = how_much();
    let both = Text { da: format!("{}. {}", who.da, how_much.da), en: format!("{}. {}", who.en, how_much.en) };
    changes.push(some_volume());
    Finding::new(verdict, reason, facts).turned_by(both, changes)
}

/// So many other organisations, in words.
fn organisations(count: u64) -> Text {
    match count {
        1 => text!("en anden organisation", "one other organisation"),
        _ => text!("{count} andre organisationer", "{count} other organisations"),
    }
}

fn anchoring(evidence: &Evidence, must_be_confirmed: bool) -> Finding {
    let mut finding = backing(evidence, must_be_confirmed);
    // What a sponsor says is no field that the body could state.
    if let Some(remedy) = finding.remedy.as_mut().filter(|_| must_be_confirmed) {
        remedy.changes.clear();
        let Text { da, en } = &remedy.words;
        remedy.words = text!(
            "{da}. Begge skal selv bekræfte via en mail, som I beder Skala sende",
            "{en}. Both must confirm in person by a mail that you ask Skala to send"
        );
    }
    finding
}

fn backing(evidence: &Evidence, must_be_confirmed: bool) -> Finding {
    let given = evidence.anchoring.clone().unwrap_or_default();
    let fact = |side: Side| {
        let mut fact = json!(given.sponsor(side)?);
        if let (Some(fields), Value::Object(said)) = (fact.as_object_mut(), json!(evidence.backings.of(side))) {
            fields.extend(said);
        }
        Some(fact)
    };
    let facts = json!({
        "political": fact(Side::Political), "administrative": fact(Side::Administrative),
        "must_be_confirmed": must_be_confirmed,
    });
    let name = |side: Side| given.sponsor(side).map(|sponsor| sponsor.name.as_str());
    let field = |side: Side| state(&format!("/anchoring/{}", side.word()));
    if Side::BOTH.into_iter().all(|side| name(side).is_none()) {
        let reason =
            text!("Der står ikke, hvem i toppen der bakker op", "It does not say who in the top stands behind it");
        let words = text!(
            "Nævn en politisk og en administrativ leder, hver med navn, titel og dato",
            "Name a political and an administrative leader, each with name, title and date"
        );
        return Finding::new(Verdict::Unclear, reason, facts).turned_by(words, Side::BOTH.map(field));
    }
    let mut sides = Side::BOTH.map(|side| match name(side) {
        None => Stance::missing(side),
        Some(name) => Stance::of(side, name, evidence.backings.of(side), must_be_confirmed),
    });
    // Where one side must change anyway, the other may keep the person that both named.
    if let ([political, administrative], Some(name)) = (&mut sides, name(Side::Administrative))
        && given.is_one_person()
        && political.verdict.min(administrative.verdict) == Verdict::Met
    {
        *administrative = Stance::named_twice(Side::Administrative, name);
    }
    sides.sort_by_key(|stance| stance.verdict);
    let [worst, better] = sides;
    let verdict = worst.verdict;
    if let (Verdict::Met, Some(p), Some(a)) = (verdict, name(Side::Political), name(Side::Administrative)) {
        let reason = text!(
            "{p} (politisk) og {a} (administrativt) står bag",
            "{p} (political) and {a} (administrative) stand behind it"
        );
        let mut finding = Finding::met(reason, facts);
        finding.reasons.extend([worst.reason, better.reason]);
        return finding;
    }
    let mut finding = Finding::new(verdict, worst.reason, facts);
    finding.reasons.push(better.reason);
    let (words, changes) = match (worst.remedy, better.remedy) {
        (Some(one), Some(other)) => (
            Text { da: format!("{}. {}", one.da, other.da), en: format!("{}. {}", one.en, other.en) },
            vec![field(worst.side), field(better.side)],
        ),
        (one, other) => (one.or(other).unwrap_or_else(|| text!("", "")), vec![field(worst.side)]),
    };
    finding.turned_by(words, changes)
}

/// How one side stands, and what would make it stand.
struct Stance {
    side: Side,
    verdict: Verdict,
    reason: Text,
    remedy: Option<Text>,
}

impl Stance {
    fn of(side: Side, name: &str, said: &Backing, must_be_confirmed: bool) -> Self {
        let Text { da, en } = side.name();
        let confirm = || {
            text!(
                "Få {name} til at bekræfte, eller nævn en anden {da} leder",
                "Have {name} confirm, or name another {en} leader"
            )
        };
        let by_word = if must_be_confirmed { (Verdict::Unclear, Some(confirm())) } else { (Verdict::Met, None) };
        let (reason, (verdict, remedy)) = match said {
            Backing::Confirmed { .. } => {
                (text!("{name} har selv bekræftet det", "{name} confirmed it in person"), (Verdict::Met, None))
            }
            Backing::Claimed => {
                let reason = text!("{name} har ikke selv bekræftet det", "{name} has not confirmed it in person");
                (reason, by_word)
            }
            Backing::Asked { refused_before: false, .. } => {
                let reason = text!("{name} er spurgt og har ikke svaret", "{name} was asked and has not answered");
                (reason, by_word)
            }
            Backing::Asked { refused_before: true, .. } => {
                let reason = text!("{name} sagde nej og er spurgt igen", "{name} said no and was asked again");
                (reason, (Verdict::Unclear, Some(confirm())))
            }
            Backing::Refused { reason, .. } => {
                let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let remedy = text!(
                    "Ret det, {name} peger på, og spørg igen, eller nævn en anden {da} leder",
                    "Mend what {name} points to and ask again, or name another {en} leader"
                );
                let reason = text!("{name} vil ikke stå bag{why}", "{name} does not stand behind it{why}");
                (reason, (Verdict::NotMet, Some(remedy)))
            }
        };
        Self { side, verdict, reason, remedy }
    }

    fn named_twice(side: Side, name: &str) -> Self {
        let reason = text!(
            "{name} er nævnt både politisk og administrativt; det skal være to",
            "{name} is named both politically and administratively; it takes two"
        );
        let Text { da, en } = side.name();
        let remedy = text!(
            "Nævn en anden {da} leder med navn, titel og dato",
            "Name another {en} leader with name, title and date"
        );
        Self { side, verdict: Verdict::Unclear, reason, remedy: Some(remedy) }
    }

    fn missing(side: Side) -> Self {
        let (reason, remedy) = match side {
            Side::Administrative => (
                text!(
                    "Der er politisk, men ikke administrativ opbakning",
                    "There is political but no administrative backing"
                ),
                text!(
                    "Nævn en administrativ leder med navn, titel og dato",
                    "Name an administrative leader with name, title and date"
                ),
            ),
            Side::Political => (
                text!(
                    "Der er administrativ, men ikke politisk opbakning",
                    "There is administrative but no political backing"
                ),
                text!(
                    "Nævn en politisk leder med navn, titel og dato",
                    "Name a political leader with name, title and date"
                ),
            ),
        };
        Self { side, verdict: Verdict::Unclear, reason, remedy: Some(remedy) }
    }
}
