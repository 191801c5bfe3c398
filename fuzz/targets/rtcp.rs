//! See `offhook_fuzz_bodies::rtcp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_fuzz_bodies::rtcp(data));
