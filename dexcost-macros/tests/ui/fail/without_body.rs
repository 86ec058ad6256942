trait Agent {
    #[dexcost::task]
    async fn answer(&self);
}

fn main() {}
