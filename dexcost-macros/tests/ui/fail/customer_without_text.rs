struct Customer;

#[dexcost::task(customer = &customer)]
fn f(customer: Customer) {}

fn main() {}
