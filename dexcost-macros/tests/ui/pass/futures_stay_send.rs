//! A future of a task is `Send` if its body is, and not if it is not.

#[dexcost::task]
async fn sent(text: String) -> Result<String, std::fmt::Error> {
    std::future::ready(()).await;
    Ok(text)
}

#[dexcost::task]
async fn recursive(n: u8) -> u8 {
    match n {
        0 => 0,
        _ => Box::pin(recursive(n - 1)).await,
    }
}

#[dexcost::task]
async fn local(text: std::rc::Rc<str>) -> usize {
    std::future::ready(()).await;
    text.len()
}

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(sent(String::new()));
    is_send(recursive(1));
    drop(local("a".into()));
}
