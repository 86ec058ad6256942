use std::future::Future;

fn inner() -> impl Future<Output = u8> {
    async { 1 }
}

#[dexcost::task]
fn f() -> impl Future<Output = u8> {
    inner()
}

fn main() {}
