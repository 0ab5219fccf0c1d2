//! Proving who one is: email codes, sign-up, sign-in, sessions.
//!
//! An access token is short-lived and checked without a look at the user's row; a refresh token is opaque, rotated at
//! every use, and one that comes back a second time ends its whole family. Nothing here tells whether an email has an
//! account to somebody who cannot read that mailbox. Read `session` next, then the use cases by their verbs.

pub mod blacklist;
pub mod change_password;
pub mod code;
pub mod doubt;
pub mod graphql;
pub mod keys;
pub mod letters;
pub mod model;
pub mod new_password;
mod over;
pub mod password;
pub mod proof;
pub mod reauthentication;
pub mod reset_password;
pub mod reset_token;
pub mod seal;
pub mod send_code;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;
pub mod social;
pub mod throttle;
pub mod tokens;
pub mod tries;
