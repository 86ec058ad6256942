//! A quick look at the text of an event, before it is taken apart.

use memchr::memmem::Finder;

/// Whether the event has a field of this name with something in it.
pub(super) fn says(name: &Finder<'_>, event: &[u8]) -> bool {
    said(name, event).is_some()
}

/// The value of the first field of this name with something in it, and what follows. `name` has its
/// quotes; a name in a string does not count, because its quotes are escaped.
pub(super) fn said<'a>(name: &Finder<'_>, event: &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = event;
    while let Some(at) = name.find(rest) {
        rest = &rest[at + name.needle().len()..];
        let value = rest.trim_ascii_start();
        let Some(value) = value.strip_prefix(b":") else {
            continue;
        };
        let value = value.trim_ascii_start();
        if !value.starts_with(b"null") && !value.starts_with(b"\"\"") {
            return Some(value);
        }
    }
    None
}
