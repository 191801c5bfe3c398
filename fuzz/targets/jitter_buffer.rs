//! See `offhook_fuzz_bodies::jitter_buffer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_fuzz_bodies::jitter_buffer(data));
