//! Names of the user that are also names of the generated code, or of the prelude.
#![allow(dead_code, reason = "the names only have to be there")]

mod core {}
mod std {}
mod dexcost {}

struct Option;
struct Some;
struct None;
struct Result;
struct Spec;
trait NamedBy {}

#[::dexcost::task(customer = __dexcost_spec)]
async fn f(__dexcost_spec: &str, __dexcost_value: u8) -> u8 {
    let __dexcost_return = __dexcost_value;
    __dexcost_return
}

#[::dexcost::task(customer = __dexcost_spec)]
fn g(__dexcost_spec: &str, __dexcost_value: u8) -> u8 {
    __dexcost_value
}

fn main() {
    drop(f("a", 1));
    g("a", 1);
}
