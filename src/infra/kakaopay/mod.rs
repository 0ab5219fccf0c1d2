//! kakaopay
