//! Across services: telling a called service which task calls it.
//!
//! | file | thought |
//! |---|---|
//! | `layer` | the layer, its settings, its service |
//! | `hosts` | who may be told |
//! | `tell` | what is put into a request |

mod hosts;
mod layer;
mod tell;

pub use layer::{PropagateLayer, PropagateService};
