//! A scenario is an async function over a fresh server; it becomes one trial on each database.

use super::{Database, TestApp};
use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Failed, Trial};

pub struct Scenario {
    pub name: &'static str,
    pub run: fn(TestApp) -> LocalBoxFuture<'static, ()>,
}

impl Scenario {
    pub fn trial(self, database: &Database) -> Trial {
        let database = database.clone();
        let name = self.name.trim_start_matches("it::");
        Trial::test(format!("{name} [{}]", database.name()), move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.map_err(Failed::from)?.block_on(async {
                let app = TestApp::start(&database).await;
                (self.run)(app.clone()).await;
                app.finish().await;
            });
            Ok(())
        })
    }
}

/// Lists a file's scenarios. One that is left out is never called, and the compiler says so.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        pub fn all() -> Vec<$crate::harness::Scenario> {
            vec![$($crate::harness::Scenario {
                name: concat!(module_path!(), "::", stringify!($name)),
                run: |app| Box::pin($name(app)),
            }),+]
        }
    };
}
