//! The main job and what it is made of: an agent service, a provider on loopback, a day of customers.
//!
//! | file | thought |
//! |---|---|
//! | `desk` | the agent service: what a user of dexcost writes |
//! | `provider` | OpenAI's and Anthropic's wire forms on loopback, replies of our own making |
//! | `recordings` | recorded traffic, served instead |
//! | `customers` | who calls the service, and how |
//! | `paced` | a body that comes in pieces, as a model speaks |
//! | `stage` | what the examples of single clients stand on |
//! | `summary` | the report in the terminal |

pub mod customers;
pub mod desk;
mod paced;
pub mod provider;
pub mod recordings;
pub mod stage;
pub mod summary;

/// Whatever goes wrong in an example.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
