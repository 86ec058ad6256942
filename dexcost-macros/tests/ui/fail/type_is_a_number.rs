#[dexcost::task(type = 5)]
fn f() {}

fn main() {}
