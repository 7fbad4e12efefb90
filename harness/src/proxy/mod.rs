//! Proxies on 127.0.0.1 that fail at an exact position: before or after call `n` took effect.
//!
//! Calls count from 1. [`HttpProxy`] stands in front of an HTTP service and counts requests;
//! [`TcpProxy`] stands in front of any other and counts the chunks that clients send.

mod http;
mod script;
mod tcp;

pub use http::{Call, HttpAction, HttpProxy};
pub use script::{Fault, Hook};
pub use tcp::{TcpAction, TcpMode, TcpProxy};
