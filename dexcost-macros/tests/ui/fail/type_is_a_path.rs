#[dexcost::task(type = "/tickets/{id}/resolve")]
fn f() {}

fn main() {}
