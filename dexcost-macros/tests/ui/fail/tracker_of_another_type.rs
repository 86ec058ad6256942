#[dexcost::task(tracker = "mine")]
fn f() {}

fn main() {}
