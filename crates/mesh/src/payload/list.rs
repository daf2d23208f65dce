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
pub fn list_length(texts: &[u8]) -> Option<u32> {
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

/// How many of the first texts there are, `most` at most, that take no more than so many bytes together; one at least. The second value
/// is where the last of them ends. Brackets and quotes must match.
pub fn list_part(texts: &[u8], most: u32, bytes: usize) -> (u32, usize) {
    let (mut depth, mut count, mut end, mut at) = (0u32, 0u32, 0, 0);
    while at < texts.len() {
        match CLASS[texts[at] as usize] {
            QUOTE => at = string_end(texts, at + 1).unwrap_or(texts.len()),
            OPEN => depth += 1,
            CLOSE => depth = depth.saturating_sub(1),
            COMMA if depth == 0 => {
                if count > 0 && at > bytes {
                    return (count, end);
                }
                (count, end) = (count + 1, at);
                if count == most {
                    return (count, end);
                }
            }
            _ => {}
        }
        at += 1;
    }
    if count > 0 && texts.len() > bytes {
        return (count, end);
    }
    (count + 1, texts.len())
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

    #[test]
    fn the_first_texts_end_where_their_comma_is() {
        let texts = b"1,\"a,]\",[2,3],{\"x\":\"\\\",\"}";
        for (most, bytes, part) in [
            (1, 100, (1, 1)),
            (2, 100, (2, 7)),
            (3, 100, (3, 13)),
            (4, 100, (4, 25)),
            (9, 100, (4, 25)),
            (9, 24, (3, 13)),
            (9, 12, (2, 7)),
            (9, 0, (1, 1)),
        ] {
            assert_eq!(list_part(texts, most, bytes), part, "{most} {bytes}");
        }
    }
}
