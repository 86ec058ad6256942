#[dexcost::task(metadata(ticket))]
fn f(ticket: u64) {}

fn main() {}
