//! The hash by which hosts agree on something: it is part of the protocol.

/// 64-bit FNV-1a of the text, mixed.
pub fn of(text: &str) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325u64;
    for byte in text.bytes() {
        h = (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(h)
}

/// The last steps of MurmurHash3: every bit has its part in every other one.
pub fn mix(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    #[test]
    fn hashes_are_those_of_the_protocol() {
        assert_eq!(super::of("peer1"), 0xd528fc57e3e2fc18);
        assert_eq!(super::of("\u{e9}"), 0x9d55ccb9ba86763b);
    }
}
