//! See `offhook_fuzz_bodies::sipfrag`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_fuzz_bodies::sipfrag(data));
