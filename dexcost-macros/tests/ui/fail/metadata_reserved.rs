#[dexcost::task(metadata(_trace_links = 1))]
fn f() {}

fn main() {}
