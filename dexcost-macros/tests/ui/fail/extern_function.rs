#[dexcost::task]
extern "C" fn f() {}

fn main() {}
