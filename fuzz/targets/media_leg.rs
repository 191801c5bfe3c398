//! See `offhook_fuzz_bodies::media_leg`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_fuzz_bodies::media_leg(data));
