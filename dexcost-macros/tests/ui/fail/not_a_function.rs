#[dexcost::task]
struct Ticket;

fn main() {}
