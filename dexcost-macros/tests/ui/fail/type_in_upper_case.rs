#[dexcost::task(type = "ResolveTicket")]
fn f() {}

fn main() {}
