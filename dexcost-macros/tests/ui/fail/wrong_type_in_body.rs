#[dexcost::task]
async fn f(text: &str) -> Result<u64, std::num::ParseIntError> {
    Ok(text)
}

fn main() {}
