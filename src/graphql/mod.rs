//! Schema roots and conventions.
