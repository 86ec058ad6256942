#[dexcost::task]
unsafe fn f() {}

fn main() {}
