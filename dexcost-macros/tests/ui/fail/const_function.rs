#[dexcost::task]
const fn f() {}

fn main() {}
