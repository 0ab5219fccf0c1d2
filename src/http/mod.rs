//! HTTP: transports and pages.
pub mod playground;
