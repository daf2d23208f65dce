#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| distribus_fuzz::wire_v2(data));
