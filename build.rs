//! Packs the large texts that the program carries along: the lexicon and the committed OpenAPI document.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const LEXICON: &str = "src/matching/lexicon";
const SPEC: &str = "openapi/openapi.json";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={LEXICON}");
    println!("cargo:rerun-if-changed={SPEC}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("Cargo sets OUT_DIR"))?);
    pack(Path::new(SPEC), &out)?;
    for file in fs::read_dir(LEXICON)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            pack(&path, &out)?;
        }
    }
    Ok(())
}

/// Writes `NAME.packed` (raw DEFLATE, RFC 1951) for a file of that name.
fn pack(file: &Path, out: &Path) -> io::Result<()> {
    let mut name = file.file_name().ok_or_else(|| io::Error::other("a file has a name"))?.to_owned();
    name.push(".packed");
    fs::write(out.join(name), miniz_oxide::deflate::compress_to_vec(&fs::read(file)?, 9))
}
