//! See `offhook_fuzz_bodies::sip_multipart`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_fuzz_bodies::sip_multipart(data));
