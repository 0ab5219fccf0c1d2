//! Signing in with Kakao and Naver, and linking them to an account.
//!
//! What always holds: accounts are matched by provider and subject, never by email. A way through a provider's page
//! begins here, is bound to the browser that began it and to what it was begun for, lasts ten minutes and ends once
//! (`way`). An email counts only if the provider says that it is verified, and never opens an existing account. Nobody
//! loses their last way in by unlinking. Tokens of the provider are not kept.
//!
//! Read `way` next, then `sign_in`, `link`, `unlink`, `unlinked` (the person left us at Kakao).

pub mod graphql;
pub mod link;
pub mod link_letter;
pub mod query;
pub mod sign_in;
pub mod unlink;
pub mod unlinked;
pub mod way;
