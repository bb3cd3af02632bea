//! The matching as a whole, on small texts of its own.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::alignment;
use super::concern::Concern;
use super::explain::ReasonKind;
use super::group::Grouping;
use super::index::{Index, Settings};
use super::lexicon::parse::Fault;
use super::lexicon::{Lexicon, Nearness};
use super::need::Need;
use super::text::language::Language;
use super::text::reader::MOST_WORDS;

static LEXICON: LazyLock<Arc<Lexicon>> =
    LazyLock::new(|| Arc::new(Lexicon::embedded().expect("the embedded lexicon has no flaw")));

fn need(title: &str, body: &str) -> Need {
    Need { title: title.to_owned(), ..Need::from_text(body, None) }
}

fn index(needs: &[(&str, Need)]) -> Index<String> {
    let mut index = Index::new(Arc::clone(&LEXICON), Settings::default());
    for (key, need) in needs {
        index.put((*key).to_owned(), need);
    }
    index
}

fn small() -> Index<String> {
    index(&[
        (
            "alarm",
            need("Alarmer om natten", "Nattevagten løber forgæves, når alarmen går uden grund, og beboerne vågner."),
        ),
        (
            "tilsyn",
            need("Natligt tilsyn", "Beboere vækkes af tilsyn om natten, og falske alarmer tager tid fra nattevagten."),
        ),
        ("salt", need("Mindre salt", "Glatførebekæmpelse med vejsalt skader træer og broer om vinteren.")),
        ("road", need("Winter roads", "Road salt on icy roads damages bridges; gritting should use less salt.")),
        ("rør", need("Utætte rør", "Vi opdager først læk på vandledningen, når vandet står på vejen.")),
    ])
}

fn keys(found: &[super::index::Match<String>]) -> Vec<&str> {
    found.iter().map(|found| found.key.as_str()).collect()
}

#[test]
fn the_lexicon_is_as_large_as_promised() {
    assert!(LEXICON.len() >= 2_000, "{} concepts", LEXICON.len());
    assert!(LEXICON.term_count() >= 12_000, "{} terms", LEXICON.term_count());
}

#[test]
fn needs_in_two_languages_find_each_other() {
    let index = small();
    assert_eq!(keys(&index.like(&"salt".to_owned(), 1)), ["road"]);
    assert_eq!(keys(&index.like(&"road".to_owned(), 1)), ["salt"]);
}

#[test]
fn a_match_says_why_in_two_languages() {
    let index = small();
    let reasons = index.why(&"alarm".to_owned(), &"tilsyn".to_owned());
    assert!(reasons.iter().any(|reason| reason.kind == ReasonKind::Words), "{reasons:?}");
    for reason in &reasons {
        assert!(!reason.danish.is_empty() && !reason.english.is_empty());
    }
}

#[test]
fn a_change_is_seen_by_the_next_question() {
    let mut index = small();
    index.put("rør".to_owned(), &need("Vejsalt", "Saltet fra glatførebekæmpelsen skader broer og træer."));
    assert_eq!(keys(&index.like(&"salt".to_owned(), 1)), ["rør"]);
    index.remove(&"rør".to_owned());
    assert!(!keys(&index.like(&"salt".to_owned(), 5)).contains(&"rør"));
    assert_eq!(index.len(), 4);
}

#[test]
fn a_slip_of_the_hand_is_forgiven() {
    let index = small();
    let asked = index.read(&Need::from_text("glatførebekæmplse og vejslat", Some(Language::Danish)));
    assert!(["salt", "road"].contains(&keys(&index.like_profile(&asked, None, 1))[0]));
}

#[test]
fn of_two_needs_in_the_same_setting_the_one_with_the_same_matter_in_its_title_is_nearer() {
    let setting = "Byggepladserne ligger i byen, maskinerne står der om natten, og entreprenørerne har travlt.";
    let index = index(&[
        ("tyveri", need("Tyveri fra byggepladser", setting)),
        ("støj", need("Støj fra byggepladser", setting)),
        ("naboer", need("Naboerne klager over støj fra byggepladser", setting)),
    ]);
    assert_eq!(keys(&index.like(&"støj".to_owned(), 1)), ["naboer"]);
}

#[test]
fn nothing_is_said_of_an_unknown_key() {
    let index = small();
    assert!(index.like(&"ukendt".to_owned(), 10).is_empty());
    assert!(index.why(&"ukendt".to_owned(), &"salt".to_owned()).is_empty());
}

#[test]
fn an_empty_index_and_an_empty_text_answer_nothing() {
    let empty: Index<String> = index(&[]);
    assert!(empty.like_profile(&empty.read(&need("Salt", "salt")), None, 10).is_empty());
    let index = small();
    assert!(index.like_profile(&index.read(&Need::default()), None, 10).is_empty());
}

#[test]
fn the_order_in_which_needs_came_changes_nothing() {
    let forward = small();
    let mut needs: Vec<(&str, Need)> = vec![
        ("rør", need("Utætte rør", "Vi opdager først læk på vandledningen, når vandet står på vejen.")),
        ("road", need("Winter roads", "Road salt on icy roads damages bridges; gritting should use less salt.")),
        ("salt", need("Mindre salt", "Glatførebekæmpelse med vejsalt skader træer og broer om vinteren.")),
        (
            "tilsyn",
            need("Natligt tilsyn", "Beboere vækkes af tilsyn om natten, og falske alarmer tager tid fra nattevagten."),
        ),
    ];
    needs.push((
        "alarm",
        need("Alarmer om natten", "Nattevagten løber forgæves, når alarmen går uden grund, og beboerne vågner."),
    ));
    let mut backward = index(&needs);
    backward.put("gæst".to_owned(), &need("Gæst", "asfalt og huller i vejen"));
    backward.remove(&"gæst".to_owned());
    for key in ["alarm", "tilsyn", "salt", "road", "rør"] {
        let (one, other) = (forward.like(&key.to_owned(), 5), backward.like(&key.to_owned(), 5));
        assert_eq!(keys(&one), keys(&other));
        for (a, b) in one.iter().zip(&other) {
            assert!((a.score - b.score).abs() < 1e-4);
        }
    }
}

#[test]
fn groups_hold_each_need_once_and_say_what_they_share() {
    let index = small();
    let all: Vec<String> = ["alarm", "tilsyn", "salt", "road", "rør"].map(str::to_owned).into();
    let groups = index.groups(&all, &[], &Grouping { least: 0.1, ..Grouping::LASTING });
    assert_eq!(groups.iter().map(|group| group.members.len()).sum::<usize>(), 5);
    let salt = groups.iter().find(|group| group.members.contains(&"salt".to_owned())).unwrap();
    assert!(!index.shared(&salt.members, Language::Danish, 5).is_empty());
}

#[test]
fn an_operator_adds_a_concept_with_one_line() {
    let own = "hundetoilet: Hunde besørger i legepladsens sand | da: hundetoilet, kvalmetange | en: zorbleflux";
    let lexicon = Lexicon::with(&[("ejendomsdrift", own)]).unwrap();
    assert_eq!(lexicon.len(), LEXICON.len() + 1);
    let mut index = Index::new(Arc::new(lexicon), Settings::default());
    index.put(1, &Need::from_text("Vi slås med kvalmetange", Some(Language::Danish)));
    index.put(2, &Need::from_text("Vi slås med asfalt", Some(Language::Danish)));
    let asked = index.read(&Need::from_text("zorbleflux everywhere", Some(Language::English)));
    assert_eq!(index.like_profile(&asked, None, 1)[0].key, 1);
}

#[test]
fn an_operator_s_broken_block_is_named() {
    let flaws = Lexicon::with(&[("egne", "a: x | da: y | broader: findes_ikke")]).err().unwrap();
    assert_eq!((flaws[0].file.as_str(), flaws[0].line), ("egne", 1));
    assert_eq!(flaws[0].what, Fault::UnknownConcept("findes_ikke".to_owned()));
}

#[test]
fn no_text_makes_more_than_bounded_work() {
    let index = small();
    let odd = [
        String::new(),
        "nødkald".to_owned(),
        "a".repeat(6_000),
        "a ".repeat(3_000),
        "vandløbsvedligeholdelsesmaskineførerkursus".repeat(140),
        "<p>".repeat(2_000),
        "&".repeat(6_000),
        "🚑🏥👩‍⚕️".repeat(500),
        "مرحبا بالعالم ".repeat(400),
        "natligt tilsyn night supervision nattlig tillsyn om natten ".repeat(100),
        "\u{202e}\u{0}\u{301}".repeat(1_500),
        "Hoitajat käyvät yöllä huoneissa ja herättävät asukkaat. ".repeat(100),
        "Natligt tilsyn. Night rounds wake residents. Nattlig tillsyn väcker. Tilsyn om natta vekker. ".repeat(60),
    ];
    for text in odd {
        let asked = index.read(&need(&text, &text));
        assert!(asked.words.len() <= 2 * MOST_WORDS && asked.meanings.len() <= alignment::MOST_WORDS, "{text:.20}");
        assert!(asked.concepts.len() <= index.settings().reading.most_concepts, "{text:.20}");
        let found = index.like_profile(&asked, None, 10);
        assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)), "{text:.20}");
        index.find(&asked, 10);
    }
}

#[test]
fn a_search_finds_the_word_its_forms_its_compounds_and_the_same_in_other_words() {
    let index = small();
    let found = |words: &str| {
        let found = index.find(&index.read(&Need::from_text(words, None)), 5);
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(found("vejsalt").first().map(String::as_str), Some("salt"));
    assert!(found("alarmer").contains(&"alarm".to_owned()), "another form");
    assert!(found("vandledninger").contains(&"rør".to_owned()), "the plural of a compound");
    assert!(found("vandlednigner").contains(&"rør".to_owned()), "two letters swapped");
    assert!(found("lækage").contains(&"rør".to_owned()), "other words");
    assert!(found("winter road salt").contains(&"salt".to_owned()), "another language");
    assert_eq!(found("skolemad"), Vec::<String>::new());
    assert_eq!(found(""), Vec::<String>::new());
}

#[test]
fn a_notice_concerns_whom_it_speaks_of() {
    let text = "Kommunerne ønsker løsninger, der finder utætte vandledninger, før vandet står på vejen.";
    let notice = Need { title: "Lækage på ledningsnettet".into(), ..Need::from_text(text, None) };
    let concern = Concern::of(|| Some(Arc::clone(&LEXICON)), notice);
    let shared = concern.with("Vi lytter til rør med sensorer og finder læk i drikkevandsnet for forsyninger").unwrap();
    assert!(shared.danish.contains("handler om"), "{shared:?}");
    for other in ["", "x", "Vi sælger skolemøbler og tavler", "🌙", &"a".repeat(6_000)] {
        assert_eq!(concern.with(other), None, "{other:.20}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_read_and_asked_without_panic(title in "\\PC{0,60}", body in "(\\PC{0,80}|[a-zæøåäö <>&;.-]{0,200})") {
        let mut index = small();
        let any = need(&title, &body);
        let asked = index.read(&any);
        prop_assert!(index.find(&asked, 10).iter().all(|(_, share)| (0.0..=1.001).contains(share)));
        let found = index.like_profile(&asked, None, 10);
        prop_assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)));
        prop_assert!(found.windows(2).all(|two| two[0].score >= two[1].score));
        index.put("ny".to_owned(), &any);
        for found in index.like(&"ny".to_owned(), 10) {
            index.why(&"ny".to_owned(), &found.key);
        }
        prop_assert!(index.remove(&"ny".to_owned()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_text_stitched_from_anything_people_paste_is_read_within_bounds(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("natligt tilsyn "), Just("night rounds "), Just("nattlig tillsyn. "), Just("tilsyn om natta\n"),
                Just("<table><td>"), Just("</b>&nbsp;&#x;"), Just("🌙👩‍⚕️"), Just("ليل "), Just("\u{202e}"), Just("yö "), Just("ååååå"),
            ],
            0..600,
        ),
    ) {
        let index = small();
        let text = pieces.concat();
        let asked = index.read(&need(&text, &text));
        prop_assert!(asked.words.len() <= 2 * MOST_WORDS && asked.meanings.len() <= alignment::MOST_WORDS);
        prop_assert!(asked.title.len() <= MOST_WORDS);
        prop_assert!(index.like_profile(&asked, None, 10).iter().all(|found| (0.0..=1.0).contains(&found.score)));
    }
}

proptest! {
    #[test]
    fn a_broken_lexicon_is_refused_with_its_line_and_a_whole_one_is_read(
        at in 0_usize..6, junk in "[a-zæ:,| #]{0,20}",
    ) {
        let good = "fald: Et fald\n  da: fald, ligger på gulvet\n  en: fall\n\nkald: Et kald | da: nødkald | related: fald";
        let mut lines: Vec<&str> = good.lines().collect();
        lines.insert(at.min(lines.len()), &junk);
        let text = lines.join("\n");
        match Lexicon::of(&[("prøve", &text)], Nearness::default()) {
            Ok(lexicon) => prop_assert!(lexicon.len() >= 2),
            Err(flaws) => prop_assert!(flaws.iter().all(|flaw| (1..=lines.len()).contains(&flaw.line))),
        }
    }
}

#[test]
fn in_a_small_pile_a_stranger_is_not_drawn_in_by_the_company_of_all() {
    let told = [
        "Vi går fire runder på stuerne hver nat, og de fleste patienter vågner.",
        "Natlige tilsyn vækker patienterne, selv om alt er i orden.",
        "Nattevagten fører tilsyn hver anden time, og patienterne vågner, når døren går.",
        "Vi leder efter infusionspumper på hele gangen.",
    ];
    let index = super::live::shelved(told.iter().map(|told| (*told, Need::from_text(told, None)))).unwrap();
    let groups = |grouping: &Grouping| -> Vec<Vec<&str>> {
        index.groups(&told, &[], grouping).into_iter().map(|group| group.members).collect()
    };
    let [.., stranger] = told;
    let passing = groups(&Grouping::PASSING);
    assert!(passing.len() == 2 && passing.contains(&vec![stranger]), "{passing:?}");
    let lasting = groups(&Grouping::LASTING);
    assert!(lasting.len() < told.len() && lasting.contains(&vec![stranger]), "{lasting:?}");
}

#[test]
fn among_a_first_few_of_one_field_different_needs_are_not_said_to_be_the_same() {
    let index = index(&[
        (
            "forgæves",
            need(
                "Hjemmehjælpen kører forgæves",
                "Flere gange om ugen står hjemmehjælperen foran en lukket dør, fordi borgeren er indlagt eller hos \
                 familie. Beskeden når ikke frem, og turen kan ikke bruges til andet.",
            ),
        ),
        (
            "løft",
            need(
                "Løft af borgere i hjemmet kræver to",
                "To hjemmehjælpere må køre ud, når en borger skal vendes eller løftes i sengen. Vi venter på hinanden.",
            ),
        ),
        ("medicin", need("Medicin, der ikke bliver taget", "Vi kører ud to gange om dagen alene for at give medicin.")),
    ]);
    let asked = index.read(&need(
        "Tunge løft i hjemmeplejen",
        "Hver dag løfter vi borgere, der ikke selv kan vende sig i sengen. Det kræver to personer, og den ene må hentes \
         fra en anden rute.",
    ));
    let found = index.like_profile(&asked, None, 3);
    assert_eq!(found.first().map(|found| found.key.as_str()), Some("løft"));
    assert!(found.iter().skip(1).all(|found| found.score < 0.8), "{found:?}");
}
