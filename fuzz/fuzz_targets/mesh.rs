#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| distribus_fuzz::mesh(data));
