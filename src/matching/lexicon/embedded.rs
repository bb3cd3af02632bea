//! The files of the embedded lexicon: one for each field of public work, packed by `build.rs`.

use crate::kernel::unpack;

/// Each field's name and its file's text.
pub fn files() -> impl Iterator<Item = (&'static str, String)> {
    PACKED.iter().map(|(field, packed)| (*field, unpack(packed)))
}

macro_rules! fields {
    ($($field:literal),* $(,)?) => {
        const PACKED: &[(&str, &[u8])] = &[$(($field, include_bytes!(concat!(env!("OUT_DIR"), "/", $field, ".txt.packed")))),*];
    };
}

fields![
    "hospital",
    "hospitallogistik",
    "medicin",
    "psykiatri",
    "forebyggelse",
    "ældrepleje",
    "hjemmepleje",
    "handicap",
    "genoptræning_hjælpemidler",
    "socialområde",
    "dagtilbud",
    "skole",
    "bibliotek_kultur",
    "idræt_fritid",
    "borgerservice",
    "sprog_tolkning",
    "beskæftigelse",
    "sagsbehandling",
    "veje_broer",
    "vintertjeneste",
    "trafik_kollektiv",
    "vandforsyning",
    "kloak_klima",
    "affald_tekstiler",
    "natur_vandløb",
    "havne_hav",
    "energi_bygninger",
    "indeklima",
    "asbest_jord",
    "byggeri_maskiner",
    "ejendomsdrift",
    "brand_beredskab",
    "mad_køkken",
    "rengøring",
    "it_data",
    "informationssikkerhed",
    "breve_dokumenter",
    "hr_vagtplan",
    "indkøb_økonomi",
    "plan_byudvikling",
    "miljøtilsyn",
    "politi_retsvæsen",
    "tværgående",
];
