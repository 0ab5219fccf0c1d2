//! HTTP: transports and pages.
