//! What the layers add to the types of a program: names, and no boxes.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower::{Layer, Service};

use crate::script::{Answering, Script};
use crate::{Bench, kinds};

/// The name of a type without what this crate put into it.
fn name_of<T>(_value: &T) -> &'static str {
    std::any::type_name::<T>()
}

#[test]
fn futures_and_bodies_are_named_types_without_a_box() {
    let (bench, kind) = (Bench::new(), kinds::chat());
    let answering = || Answering::new(kind.head(), Script::default());
    let mut outbound = bench.outbound().layer(answering());
    let mut inbound = bench.inbound().layer(answering());
    let call = outbound.call(kind.request());
    let handled = inbound.call(kind.request());
    for name in [name_of(&call), name_of(&handled)] {
        assert!(!name.contains("Box") && !name.contains("dyn "), "{name}");
        assert!(name.starts_with("dexcost_tower::"), "{name}");
    }
    let bodies = [name_of(&crate::now(call)), name_of(&crate::now(handled))];
    for name in bodies {
        assert!(!name.contains("Box") && !name.contains("dyn "), "{name}");
    }
    let mut client = bench.outbound().layer(reqwest::Client::new());
    let request = reqwest::Request::new(reqwest::Method::GET, "http://127.0.0.1:1/".parse().unwrap());
    let call = client.call(request);
    assert!(
        name_of(&call).starts_with("dexcost_tower::"),
        "{}",
        name_of(&call)
    );
}

#[test]
fn what_was_send_sync_and_unpin_still_is() {
    fn still<T: Send + Sync + Unpin>(_value: &T) {}
    let (bench, kind) = (Bench::new(), kinds::chat());
    let answering = Answering::new(kind.head(), Script::default());
    let mut both = bench.inbound().layer(bench.outbound().layer(answering));
    still(&both);
    let call = both.call(kind.request());
    still(&call);
    still(&crate::now(call).unwrap());
}

#[test]
fn a_future_that_may_not_leave_its_thread_can_be_called_too() {
    let answer = |_request: Request<std::rc::Rc<()>>| {
        let local = std::rc::Rc::new(());
        async move {
            drop(local);
            Ok::<_, &'static str>(http::Response::new(Full::<Bytes>::default()))
        }
    };
    let bench = Bench::new();
    let mut both = bench
        .inbound()
        .layer(bench.outbound().layer(tower::service_fn(answer)));
    let request = Request::post(kinds::chat().url)
        .body(std::rc::Rc::new(()))
        .unwrap();
    crate::now(both.call(request)).unwrap();
}

/// What a layer adds to a future is moved about with it: a few hundred bytes, whatever the call.
#[test]
fn futures_and_bodies_stay_small() {
    let (bench, kind) = (Bench::new(), kinds::chat());
    let answering = || Answering::new(kind.head(), Script::default());
    let mut bare = answering();
    let mut outbound = bench.outbound().layer(answering());
    let mut inbound = bench.inbound().layer(answering());
    let bare = size_of_val(&Service::<Request<()>>::call(&mut bare, Request::new(())));
    let call = size_of_val(&outbound.call(kind.request()));
    let handled = size_of_val(&inbound.call(kind.request()));
    assert!(call - bare <= 512, "outbound adds {} bytes", call - bare);
    assert!(handled - bare <= 512, "inbound adds {} bytes", handled - bare);
}
