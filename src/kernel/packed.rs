//! Text that the program carries along, packed by `build.rs`.

/// The text again. Whatever `build.rs` packed unpacks; anything else is no text.
#[must_use]
pub fn unpack(packed: &[u8]) -> String {
    let bytes = miniz_oxide::inflate::decompress_to_vec(packed).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
