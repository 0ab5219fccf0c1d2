//! Spotlight Space.
pub mod graphql;
pub mod http;
pub mod infra;

pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
