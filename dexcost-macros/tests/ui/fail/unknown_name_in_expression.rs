#[dexcost::task(customer = ticket.customer)]
fn f() {}

fn main() {}
