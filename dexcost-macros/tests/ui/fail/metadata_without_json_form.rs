struct Ticket;

#[dexcost::task(metadata(ticket = ticket))]
fn f(ticket: Ticket) {}

fn main() {}
