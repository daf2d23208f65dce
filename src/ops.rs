//! What the program collected in a turn: one text, one line an operation.
//!
//! JSON text holds no raw control characters, so line feeds and tabs separate without any escaping, and finding them is all the
//! parsing there is. `>` to, tab, from: begins a run; `=` message: a send in the run; `#` channel, tab, message: a publish.
//! An empty field stands for undefined.

use bytestring::ByteString;
use distribus_mesh::{Input, Raw};

/// Reads the operations; sends are numbered from `seq` on, which is left at the number after the last one.
pub fn read(text: String, seq: &mut u64) -> Vec<Input> {
    let text = ByteString::from(text);
    let mut inputs = Vec::new();
    let (mut to, mut from) = (None, None);
    for line in text.split('\n') {
        let field = |s: &str| (!s.is_empty()).then(|| text.slice_ref(s));
        let pair = |s: &str| -> (Option<Raw>, Option<Raw>) {
            let (a, b) = s.split_once('\t').unwrap_or((s, ""));
            (field(a), field(b))
        };
        if let Some(message) = line.strip_prefix('=') {
            let (from, to) = (Option::clone(&from), Option::clone(&to));
            inputs.push(Input::Send {
                seq: *seq,
                from,
                to,
                message: field(message),
            });
            *seq += 1;
        } else if let Some(run) = line.strip_prefix('>') {
            (to, from) = pair(run);
        } else if let Some(publish) = line.strip_prefix('#') {
            let (channel, message) = pair(publish);
            inputs.push(Input::Publish { channel, message });
        }
    }
    inputs
}
