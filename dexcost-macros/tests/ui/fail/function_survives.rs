#[dexcost::task(kustomer = "acme")]
fn f() -> u8 {
    1
}

fn g() -> u8 {
    f()
}

fn main() {}
