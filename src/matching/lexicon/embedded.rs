//! The files of the embedded lexicon: one for each field of public work.

macro_rules! fields {
    ($($field:literal),* $(,)?) => {
        /// Each field's name and its file's text.
        pub const FILES: &[(&str, &str)] = &[$(($field, include_str!(concat!($field, ".txt")))),*];
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
