//! What must hold of everything that reads bytes of somebody else, whatever they are.
//!
//! One function per fuzz target. None of them may panic: each asserts what it promises.

mod exchange;
mod framings;
mod input;
mod others;
mod services;
mod trace_fields;

pub use exchange::wire_form;
pub use framings::{
    aws_event_stream, content_coding, json_array, json_body, json_lines, multipart, server_sent_events,
};
pub use others::{events, price_files, urls_and_amounts};
pub use services::{service_call, service_catalog};
pub use trace_fields::trace_fields;

/// A target: what it promises, as a function that panics where it does not hold.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder of seeds.
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// So many bytes at the beginning of a case say how the rest is fed.
    pub leading: usize,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    fed_in_ways("wire_form", wire_form),
    fed_in_ways("server_sent_events", server_sent_events),
    fed_in_ways("json_lines", json_lines),
    fed_in_ways("json_array", json_array),
    fed_in_ways("json_body", json_body),
    fed_in_ways("aws_event_stream", aws_event_stream),
    fed_in_ways("content_coding", content_coding),
    fed_in_ways("multipart", multipart),
    fed_in_ways("service_call", service_call),
    fed_as_it_is("service_catalog", service_catalog),
    fed_as_it_is("trace_fields", trace_fields),
    fed_as_it_is("price_files", price_files),
    fed_as_it_is("urls_and_amounts", urls_and_amounts),
    fed_as_it_is("events", events),
];

const fn fed_in_ways(name: &'static str, run: fn(&[u8])) -> Target {
    Target {
        name,
        run,
        leading: 3,
    }
}

const fn fed_as_it_is(name: &'static str, run: fn(&[u8])) -> Target {
    Target {
        name,
        run,
        leading: 0,
    }
}
