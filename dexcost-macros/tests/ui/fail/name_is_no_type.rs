#[dexcost::task]
fn _run() {}

fn main() {}
