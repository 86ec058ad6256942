//! Every argument at once, and none.
#![deny(warnings, clippy::all)]
#![forbid(unsafe_code)]

struct Ticket {
    customer: String,
    project: Option<String>,
}

#[dexcost::task]
fn none() {}

#[dexcost::task()]
async fn empty() -> u8 {
    1
}

#[dexcost::task(
    type = "resolve_ticket",
    customer = &ticket.customer,
    project = ticket.project,
    agent = "bot",
    experiment = "prompt",
    variant = 'b',
    metadata(retries = 3_u8, tags = ["a"],),
    tracker = dexcost::tracker(),
)]
async fn all(ticket: Ticket) -> Result<Ticket, dexcost::Error> {
    Ok(ticket)
}

#[dexcost::task]
pub fn r#match<T: Send>(mut value: Vec<T>, extra: T) -> impl IntoIterator<Item = T>
where
    T: Clone,
{
    value.push(extra);
    value
}

fn main() {
    none();
    let _ = r#match(vec![1], 2);
    drop((empty(), all(Ticket { customer: String::new(), project: None })));
}
