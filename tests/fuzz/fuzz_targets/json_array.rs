#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dexcost_fuzz::json_array(data));
