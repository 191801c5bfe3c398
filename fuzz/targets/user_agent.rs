//! See `offhook_fuzz_bodies::user_agent`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_fuzz_bodies::user_agent(data));
