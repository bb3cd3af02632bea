//! Packs the large texts that the program carries along: the lexicon and the committed OpenAPI document.

use std::path::{Path, PathBuf};
use std::process::Command;
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
    if has_packed_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

/// Whether this machine's C library reads relocations that are packed, a megabyte of the program otherwise: glibc from 2.36
/// on does, and an older one would not start the program.
fn has_packed_relocations() -> bool {
    let is_glibc = env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux")
        && env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu")
        && env::var("HOST") == env::var("TARGET");
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let told = asked.map(|asked| String::from_utf8_lossy(&asked.stdout).into_owned()).unwrap_or_default();
    let minor = told.trim().strip_prefix("glibc 2.").and_then(|minor| minor.parse::<u32>().ok());
    is_glibc && minor.is_some_and(|minor| minor >= 36)
}

/// Writes `NAME.packed` (raw DEFLATE, RFC 1951) for a file of that name.
fn pack(file: &Path, out: &Path) -> io::Result<()> {
    let mut name = file.file_name().ok_or_else(|| io::Error::other("a file has a name"))?.to_owned();
    name.push(".packed");
    fs::write(out.join(name), miniz_oxide::deflate::compress_to_vec(&fs::read(file)?, 9))
}
