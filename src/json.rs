//! Pieces of JSON text.

use distribus_mesh::Raw;
pub use distribus_mesh::json::quote;

pub fn quote_or_null(text: &Option<Raw>) -> String {
    text.as_ref().map_or("null".to_owned(), |t| quote(t))
}

pub fn or_null(raw: &Option<Raw>) -> &str {
    raw.as_deref().unwrap_or("null")
}

/// Several JSON arrays as one.
pub fn joined(arrays: &[Raw]) -> String {
    let inner = arrays
        .iter()
        .filter_map(|a| a.trim().strip_prefix('[')?.strip_suffix(']'));
    let inner: Vec<&str> = inner.map(str::trim).filter(|s| !s.is_empty()).collect();
    format!("[{}]", inner.join(","))
}
