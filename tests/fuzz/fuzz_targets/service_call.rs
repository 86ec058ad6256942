#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dexcost_fuzz::service_call(data));
