//! What a person does, in front of a server that may be killed at any moment: asks, and when the connection breaks, asks
//! the same again of the server that was started in its place.

use crate::{
    Result,
    ask::{self, Caller, at},
    server::{Plan, Rehearsal, Server},
    world::Member,
};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// After a restart, all must be settled within this.
pub const MINUTE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A server, and what becomes of it.
#[derive(Debug)]
pub struct Stage {
    pub http: reqwest::Client,
    plan: Plan,
    server: Server,
    /// A second node, which takes the place of the first one.
    heir: Option<Server>,
    clock_ahead: i64,
    /// When the server was started again after it was killed.
    pub revived: Option<Instant>,
}

impl Stage {
    pub async fn open(plan: &Plan, rehearsal: &Rehearsal) -> Result<Self> {
        let http = ask::client()?;
        let server = plan.start(rehearsal).await?;
        Ok(Self { http, plan: plan.clone(), server, heir: None, clock_ahead: rehearsal.clock_ahead, revived: None })
    }

    /// With a second node on the same database, if there is one: when the first one was killed it is not started again.
    pub async fn open_with(plan: &Plan, heir: Option<&Plan>, rehearsal: &Rehearsal) -> Result<Self> {
        let mut stage = Self::open(plan, rehearsal).await?;
        if let Some(heir) = heir {
            let peaceful = Rehearsal { clock_ahead: rehearsal.clock_ahead, ..Rehearsal::default() };
            stage.heir = Some(heir.start(&peaceful).await?);
        }
        Ok(stage)
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Somebody who asks the server that is there now, once.
    pub fn caller(&self, who: &Member) -> Caller {
        Caller { who: who.clone(), url: self.url(), http: self.http.clone(), repeats: Arc::default() }
    }

    pub async fn close(mut self) -> Result<()> {
        if let Some(heir) = &mut self.heir {
            heir.kill().await?;
        }
        self.server.kill().await
    }

    /// The server was killed, or so it seems from `why` somebody has no answer: another one takes its place.
    pub async fn revive(&mut self, why: &str) -> Result<()> {
        let since = Instant::now();
        while !self.server.is_gone()? {
            if since.elapsed() > Duration::from_secs(5) {
                return Err(format!("no answer, but the server is still there: {why}").into());
            }
            tokio::time::sleep(POLL).await;
        }
        if self.revived.is_some() {
            return Err(format!("the server died a second time: see {}", self.plan.log().display()).into());
        }
        let rehearsal = Rehearsal { clock_ahead: self.clock_ahead, ..Rehearsal::default() };
        self.server = match self.heir.take() {
            Some(heir) => heir,
            None => self.plan.start(&rehearsal).await?,
        };
        self.revived = Some(Instant::now());
        Ok(())
    }

    /// Killed by itself, while nobody asked for anything.
    pub async fn revive_if_gone(&mut self) -> Result<()> {
        if self.server.is_gone()? { self.revive("it is gone").await } else { Ok(()) }
    }

    /// The data of an operation; asked again until there is an answer.
    pub async fn ask(&mut self, who: &Member, query: &str, variables: &Value) -> Result<Value> {
        loop {
            let body = json!({ "query": query, "variables": variables });
            let sent = self.http.post(format!("{}/graphql", self.url())).bearer_auth(&who.token).json(&body).send();
            let answer: Value = match sent.await {
                Ok(answer) => match answer.json().await {
                    Ok(answer) => answer,
                    Err(why) => {
                        self.revive(&why.to_string()).await?;
                        continue;
                    }
                },
                Err(why) => {
                    self.revive(&why.to_string()).await?;
                    continue;
                }
            };
            return match answer.get("errors") {
                None => Ok(answer.get("data").cloned().unwrap_or_default()),
                Some(errors) => Err(format!("{query}: {errors}").into()),
            };
        }
    }

    /// The payload of a mutation that takes an `input`.
    pub async fn mutate(&mut self, who: &Member, field: &str, wanted: &str, input: &Value) -> Result<Value> {
        let data = self.ask(who, &ask::mutation(field, wanted), &json!({ "input": input })).await?;
        Ok(data.get(field).cloned().unwrap_or_default())
    }

    /// Presses a button of the provider's page, and follows the browser back to us once.
    pub async fn press(&mut self, page: &str, button: &str) -> Result<()> {
        let back = loop {
            let pressed =
                self.http.post(format!("{}/{button}", at(&self.url(), page))).form(&[("fault", "none")]).send().await;
            match pressed {
                Err(why) => self.revive(&why.to_string()).await?,
                Ok(pressed) => match pressed.headers().get("location").map(|to| to.to_str()) {
                    Some(to) => break to?.to_owned(),
                    // Pressed before the server was killed, and over: the browser is where it was.
                    None => return Ok(()),
                },
            }
        };
        while let Err(why) = self.http.get(at(&self.url(), &back)).send().await {
            self.revive(&why.to_string()).await?;
        }
        Ok(())
    }

    /// Looks until `is_over`; within a minute, or it is an error.
    pub async fn watch(
        &mut self,
        who: &Member,
        query: &str,
        id: &str,
        is_over: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let since = Instant::now();
        loop {
            let data = self.ask(who, query, &json!({ "id": id })).await?;
            let node = data.get("node").cloned().unwrap_or(data);
            if is_over(&node) {
                return Ok(node);
            }
            if since.elapsed() > MINUTE {
                return Err(format!("after a minute it is still {node}").into());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
