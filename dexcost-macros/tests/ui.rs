//! What compiles and what does not, with the message that the person reads who made the slip.
//!
//! The messages of the compiler itself change from release to release: after an update of the
//! toolchain, look at them and write them anew with `TRYBUILD=overwrite`.

#[test]
fn every_slip_has_its_message_and_everything_else_compiles() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
