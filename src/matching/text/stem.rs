//! The stem of a word: what stays when its endings go, in one spelling for all Nordic languages.

use rust_stemmers::{Algorithm, Stemmer};

use super::language::Language;

/// Snowball's stemmer for each language, and the Nordic letters folded after it.
pub struct Stems {
    danish: Stemmer,
    norwegian: Stemmer,
    swedish: Stemmer,
    english: Stemmer,
}

impl Default for Stems {
    fn default() -> Self {
        Stems {
            danish: Stemmer::create(Algorithm::Danish),
            norwegian: Stemmer::create(Algorithm::Norwegian),
            swedish: Stemmer::create(Algorithm::Swedish),
            english: Stemmer::create(Algorithm::English),
        }
    }
}

impl Stems {
    /// The folded stem of a plain word.
    pub fn stem(&self, word: &str, language: Language) -> String {
        let stemmer = match language {
            Language::Danish => &self.danish,
            Language::Norwegian => &self.norwegian,
            Language::Swedish => &self.swedish,
            Language::English => &self.english,
        };
        match language {
            Language::English => fold(&stemmer.stem(word), language),
            _ => fold(&stemmer.stem(&word.replace("aa", "å")), language),
        }
    }
}

/// One spelling for the Nordic letters: ä is æ, ö is ø, aa is å; other accents go.
pub fn fold(word: &str, language: Language) -> String {
    let fold_aa = language != Language::English;
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            'ä' => out.push('æ'),
            'ö' => out.push('ø'),
            'é' | 'è' | 'ê' | 'ë' => out.push('e'),
            'ü' => out.push('y'),
            'á' | 'à' => out.push('a'),
            'ó' | 'ò' => out.push('o'),
            'a' if fold_aa && out.ends_with('a') => {
                out.pop();
                out.push('å');
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nordic_spellings_of_one_word_meet() {
        let stems = Stems::default();
        let danish = stems.stem("køkkener", Language::Danish);
        assert_eq!(stems.stem("kökkener", Language::Danish), danish);
        assert_eq!(stems.stem("aaben", Language::Danish), stems.stem("åben", Language::Danish));
    }

    #[test]
    fn endings_go() {
        let stems = Stems::default();
        assert_eq!(stems.stem("alarmerne", Language::Danish), stems.stem("alarm", Language::Danish));
    }
}
