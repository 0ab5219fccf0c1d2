//! Several nodes on one database.

use crate::Result;

#[derive(Debug, clap::Args)]
pub struct Nodes {
    /// The server that all share, such as mysql://root@127.0.0.1:3306/
    #[arg(long)]
    database: String,
}

impl Nodes {
    pub async fn run(self) -> Result<()> {
        Err(format!("not yet: {}", self.database).into())
    }
}
