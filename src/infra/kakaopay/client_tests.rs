//! What an answer means, and what is done again.

use super::{super::call::read, *};
use axum::{Router, http::StatusCode, routing::post};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

#[test]
fn what_an_answer_means() {
    type Read = Result<wire::OrderBody, CallError>;
    let doubt = |read: Read| matches!(read, Err(CallError::InDoubt(_)));
    assert!(doubt(read(500, "{}")));
    assert!(doubt(read(502, "<html>")));
    for unreadable in [(200, "garbage"), (400, r#"{"error_code":{},"error_message":"?"}"#)] {
        let read: Read = read(unreadable.0, unreadable.1);
        assert!(matches!(read, Err(CallError::Unreadable(_))), "{unreadable:?}");
    }
    assert!(doubt(read(302, "")));
    assert!(doubt(read(400, r#"{"error_code":-702,"error_message":"already"}"#)));
    assert!(doubt(read(400, r#"{"error_code":"-785","error_message":"in flight"}"#)));
    let refused: Read = read(400, r#"{"error_code":"-780","error_message":"no","extras":{"x":1}}"#);
    assert_eq!(refused.err(), Some(CallError::Refused { code: -780, message: "no".into() }));
    let key: Read = read(401, "");
    assert!(matches!(key, Err(CallError::Refused { code: 401, .. })));
}

/// An order without the amounts that decide about money is unreadable.
#[test]
fn amounts_are_required() {
    let order = |amounts: &str| {
        let text = format!(
            r#"{{"tid":"T","cid":"c","status":"SUCCESS_PAYMENT","partner_order_id":"p","amount":{{"total":5}}{amounts}}}"#
        );
        read::<wire::OrderAnswer>(200, &text)
    };
    let both = r#","canceled_amount":{"total":0,"tax_free":0},"cancel_available_amount":{"total":5}"#;
    assert!(order(both).is_ok());
    assert!(order(r#","canceled_amount":{"total":0}"#).is_err());
    assert!(order(r#","cancel_available_amount":{"total":5}"#).is_err());
}

/// A name server that does not answer the first few times: until it does, no request can leave.
struct Flaky {
    down_for: usize,
    asked: AtomicUsize,
    address: SocketAddr,
}

impl Resolve for Flaky {
    fn resolve(&self, _name: Name) -> Resolving {
        let is_down = self.asked.fetch_add(1, Ordering::SeqCst) < self.down_for;
        let address = self.address;
        Box::pin(async move {
            let addresses: Addrs = Box::new([address].into_iter());
            if is_down { Err("the name server is away".into()) } else { Ok(addresses) }
        })
    }
}

const READY: &str = r#"{"tid":"T1","next_redirect_pc_url":"p","next_redirect_mobile_url":"m","next_redirect_app_url":"a","created_at":"x"}"#;
const APPROVED: &str = r#"{"aid":"A1","tid":"T1","cid":"c","partner_order_id":"p","partner_user_id":"u","payment_method_type":"MONEY","amount":{"total":5},"approved_at":"x"}"#;

/// A client, and how many requests reached the provider, whose first `failing` answers are 500.
async fn client(down_for: usize, failing: usize) -> (KakaoPayClient, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let reached = Arc::new(AtomicUsize::new(0));
    let answer = |text: &'static str| {
        let reached = Arc::clone(&reached);
        post(move || async move {
            let is_failing = reached.fetch_add(1, Ordering::SeqCst) < failing;
            if is_failing { (StatusCode::INTERNAL_SERVER_ERROR, "") } else { (StatusCode::OK, text) }
        })
    };
    let router = Router::new()
        .route("/online/v1/payment/ready", answer(READY))
        .route("/online/v1/payment/approve", answer(APPROVED));
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    let names = Flaky { down_for, asked: AtomicUsize::new(0), address };
    let http = reqwest::Client::builder().no_proxy().dns_resolver(Arc::new(names)).build().unwrap();
    let settings = ClientSettings {
        base_url: format!("http://kakaopay.test:{}", address.port()),
        secret_key: "k".to_owned().into(),
        cid: "c".into(),
        timeout: Duration::from_secs(8),
    };
    (KakaoPayClient { http, settings }, reached)
}

fn approval() -> ApproveRequest {
    let word = String::new;
    ApproveRequest { tid: word(), partner_order_id: word(), partner_user_id: word(), pg_token: word() }
}

fn readiness() -> ReadyRequest {
    let word = String::new;
    ReadyRequest {
        partner_order_id: word(),
        partner_user_id: word(),
        item_name: word(),
        quantity: 1,
        total_amount: 5,
        approval_url: word(),
        cancel_url: word(),
        fail_url: word(),
    }
}

#[tokio::test]
async fn a_request_that_never_left_is_sent_again() {
    let (client, reached) = client(2, 0).await;
    assert_eq!(client.approve(&approval()).await.unwrap().total_amount, 5);
    assert_eq!(reached.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn it_is_given_up_after_a_few_times() {
    let (client, reached) = client(usize::MAX, 0).await;
    assert!(matches!(client.approve(&approval()).await, Err(CallError::Unreachable(_))));
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_sent_again_unless_it_charges_nothing() {
    let (approving, reached) = client(0, 1).await;
    assert!(matches!(approving.approve(&approval()).await, Err(CallError::InDoubt(_))));
    assert_eq!(reached.load(Ordering::SeqCst), 1);
    let (preparing, reached) = client(0, 1).await;
    assert_eq!(preparing.ready(&readiness()).await.unwrap().tid, "T1");
    assert_eq!(reached.load(Ordering::SeqCst), 2);
}
