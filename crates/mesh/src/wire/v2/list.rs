//! Lists of JSON texts, which are counted but not parsed.

/// What to do about a byte of JSON text.
const OTHER: u8 = 0;
const QUOTE: u8 = 1;
const OPEN: u8 = 2;
const CLOSE: u8 = 3;
const COMMA: u8 = 4;
static CLASS: [u8; 256] = {
    let mut class = [OTHER; 256];
    class[b'"' as usize] = QUOTE;
    class[b'[' as usize] = OPEN;
    class[b'{' as usize] = OPEN;
    class[b']' as usize] = CLOSE;
    class[b'}' as usize] = CLOSE;
    class[b',' as usize] = COMMA;
    class
};

/// How many JSON texts these are, joined by commas; `None` when brackets or quotes do not match.
///
/// This is no check for being JSON: it makes sure that, pasted into a larger text, the list can neither end earlier nor hold
/// more than it says. Where that text is valid JSON as a whole, brackets and quotes have the meaning that they have here.
pub(super) fn list_length(texts: &[u8]) -> Option<u32> {
    let (mut depth, mut commas, mut at) = (0u32, 0u32, 0);
    while at < texts.len() {
        match CLASS[texts[at] as usize] {
            QUOTE => at = string_end(texts, at + 1)?,
            OPEN => depth += 1,
            CLOSE => depth = depth.checked_sub(1)?,
            COMMA if depth == 0 => commas += 1,
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then_some(commas + 1)
}

/// Where the string ends in which `at` is: the place of its closing quote.
fn string_end(texts: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', texts.get(at..)?)?;
        if texts[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_counted_and_cannot_be_left() {
        for (texts, length) in [
            ("1", Some(1)),
            ("1,\"a,]\",[2,3],{\"x\":\"\\\",\"}", Some(4)),
            ("1],[2", None),
            ("\"a", None),
            ("\"a\\\"", None),
            ("[", None),
            ("\"\\", None),
        ] {
            assert_eq!(list_length(texts.as_bytes()), length, "{texts}");
        }
    }
}
