#[dexcost::task(type = format!("ticket-{id}"))]
fn f(id: u64) {}

fn main() {}
