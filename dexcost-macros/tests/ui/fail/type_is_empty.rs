#[dexcost::task(type = "")]
fn f() {}

fn main() {}
