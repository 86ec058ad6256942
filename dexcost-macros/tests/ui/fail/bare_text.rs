#[dexcost::task("resolve_ticket")]
fn f() {}

fn main() {}
