//! See `offhook_fuzz_bodies::sip_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_fuzz_bodies::sip_message(data));
