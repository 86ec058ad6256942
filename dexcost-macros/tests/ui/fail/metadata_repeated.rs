#[dexcost::task(metadata(a = 1, "a" = 2))]
fn f() {}

fn main() {}
