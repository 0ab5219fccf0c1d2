//! The first commit of an approval, the one that says "approving now", whose answer is lost, or that is lost itself. The token
//! in hand is good for one call: that is made exactly if the commit was, by the request that wrote it. And the commit of an
//! admin's word.

use crate::harness::{Answer, BOOKING, Cut, Node, PASSWORD, Person, Road, TestApp, booking_input};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    an_approval_whose_beginning_was_written_and_not_answered_goes_on_at_once,
    an_approval_whose_beginning_was_lost_takes_nothing_and_is_made_again,
    a_word_that_was_written_and_not_answered_counts_once,
    a_word_that_was_lost_is_said_again,
];

/// A node behind a road that breaks, and a payment that was agreed to on the provider's page.
struct Agreed {
    node: Node,
    road: Road,
    fan: Person,
    booking: String,
    payment: String,
    pg_token: String,
}

/// `None` where there is no connection to cut.
async fn agreed(app: &TestApp, call: &str) -> Option<Agreed> {
    let (road, node) = Road::with_node(app, |_| {}).await?;
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let start = format!("mutation($input: BookingStartInput!) {{ bookingStart(input: $input) {{ {BOOKING} }} }}");
    let input = json!({ "input": booking_input(&event, 1, "k") });
    let started = app.query_at(&node.url, Some(&fan.token), &start, input).await;
    let payload = started.data()["bookingStart"].clone();
    let back = app.press(&payload, "approve", call).await;
    let id = |what: &str| payload[what]["id"].as_str().unwrap().to_owned();
    let pg_token = back.split("pg_token=").nth(1).unwrap().to_owned();
    Some(Agreed { node, road, fan, booking: id("booking"), payment: id("payment"), pg_token })
}

impl Agreed {
    async fn approve(&self, app: &TestApp) -> Answer {
        let document = "mutation($input: PaymentApproveInput!) { paymentApprove(input: $input) { payment { status } \
                        booking { status } userErrors { code } } }";
        let input = json!({ "input": { "paymentId": self.payment, "pgToken": self.pg_token } });
        app.query_at(&self.node.url, Some(&self.fan.token), document, input).await
    }

    /// With its first commit cut; nobody works meanwhile, so that what is done is done by the request alone.
    async fn approve_cut(&self, app: &TestApp, cut: Cut) -> Answer {
        // The budget is leased before, so that the first commit is the approval's.
        app.query_at(&self.node.url, Some(&self.fan.token), "{ __typename }", json!({})).await;
        self.road.arm(0, cut);
        let answer = self.approve(app).await;
        assert!(self.road.disarm(), "no commit was cut");
        answer
    }

    async fn times(&self, app: &TestApp, step: &str) -> usize {
        app.story(&self.payment).await.iter().filter(|told| *told == step).count()
    }

    async fn statuses(&self, app: &TestApp) -> (Value, Value) {
        let booking = app.booking(&self.fan, &self.booking).await;
        (booking["status"].clone(), booking["payment"]["status"].clone())
    }
}

fn assert_paid(answer: &Answer) {
    let due = json!({ "payment": { "status": "APPROVED" }, "booking": { "status": "CONFIRMED" }, "userErrors": [] });
    assert_eq!(answer.data()["paymentApprove"], due);
}

async fn an_approval_whose_beginning_was_written_and_not_answered_goes_on_at_once(app: TestApp) {
    let Some(agreed) = agreed(&app, "none").await else { return };
    assert_paid(&agreed.approve_cut(&app, Cut::Answer).await);
    assert_eq!((agreed.times(&app, "BeginApprove").await, agreed.times(&app, "Approve").await), (1, 1));
    assert_eq!(agreed.times(&app, "StepBack").await, 0, "one call, and it was made with the token in hand");
    app.pass(TimeDelta::seconds(21)).await;
    assert_eq!(agreed.statuses(&app).await, (json!("CONFIRMED"), json!("APPROVED")));
    agreed.node.stop().await;
}

async fn an_approval_whose_beginning_was_lost_takes_nothing_and_is_made_again(app: TestApp) {
    let Some(agreed) = agreed(&app, "none").await else { return };
    let lost = agreed.approve_cut(&app, Cut::Before).await;
    let message = lost.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("may have been done"), "{message}");
    assert_eq!(agreed.times(&app, "BeginApprove").await, 0, "no call without its being written first");
    assert_eq!(agreed.statuses(&app).await, (json!("HELD"), json!("READY")));
    assert_paid(&agreed.approve(&app).await);
    assert_eq!((agreed.times(&app, "BeginApprove").await, agreed.times(&app, "Approve").await), (1, 1));
    agreed.node.stop().await;
}

/// The money was taken, nobody heard it, and the provider cannot be read: an admin says so, and the commit is cut.
async fn said(app: &TestApp, cut: Cut) -> Option<(Agreed, Answer)> {
    let agreed = agreed(app, "error_after").await?;
    app.faults("order", "unknown_status", 1_000).await;
    let doubted = agreed.approve(app).await;
    assert_eq!(doubted.data()["paymentApprove"]["userErrors"], json!([{ "code": "PAYMENT_IN_DOUBT" }]));
    app.work().await;
    app.pass(TimeDelta::minutes(11)).await;
    let email = "keeper@spotlight.test";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let keeper = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    let keeper = keeper["session"]["accessToken"].as_str().unwrap();
    app.query_at(&agreed.node.url, Some(keeper), "{ __typename }", json!({})).await;
    let document = "mutation($input: AdminPaymentDecideInput!) { adminPaymentDecide(input: $input) { decidedBy \
                    userErrors { code } } }";
    let input =
        json!({ "paymentId": agreed.payment, "outcome": "TAKEN", "takenAmount": 5_000, "reason": "as the pages show" });
    let say = || app.query_at(&agreed.node.url, Some(keeper), document, json!({ "input": input }));
    agreed.road.arm(0, cut);
    let first = say().await;
    assert!(agreed.road.disarm(), "no commit was cut");
    let message = first.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("may have been done"), "{message}");
    let second = say().await;
    assert_eq!(agreed.statuses(app).await, (json!("CONFIRMED"), json!("APPROVED")));
    assert_eq!((agreed.times(app, "Decided").await, agreed.times(app, "Approve").await), (1, 1));
    app.pass(TimeDelta::minutes(11)).await;
    Some((agreed, second))
}

async fn a_word_that_was_written_and_not_answered_counts_once(app: TestApp) {
    let Some((agreed, second)) = said(&app, Cut::Answer).await else { return };
    assert_eq!(second.data()["adminPaymentDecide"]["userErrors"], json!([{ "code": "NOT_ALLOWED" }]));
    agreed.node.stop().await;
}

async fn a_word_that_was_lost_is_said_again(app: TestApp) {
    let Some((agreed, second)) = said(&app, Cut::Before).await else { return };
    assert_eq!(second.data()["adminPaymentDecide"], json!({ "decidedBy": "ADMIN", "userErrors": [] }));
    agreed.node.stop().await;
}
