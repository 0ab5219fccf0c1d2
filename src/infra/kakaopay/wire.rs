//! The JSON of the API. Fields that we do not use are tolerated and left out.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct ReadyBody {
    pub cid: String,
    pub partner_order_id: String,
    pub partner_user_id: String,
    pub item_name: String,
    pub quantity: i64,
    pub total_amount: i64,
    pub tax_free_amount: i64,
    pub approval_url: String,
    pub cancel_url: String,
    pub fail_url: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ReadyAnswer {
    pub tid: String,
    pub next_redirect_pc_url: String,
    pub next_redirect_mobile_url: String,
    pub next_redirect_app_url: String,
    pub created_at: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ApproveBody {
    pub cid: String,
    pub tid: String,
    pub partner_order_id: String,
    pub partner_user_id: String,
    pub pg_token: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Amount {
    pub total: i64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ApproveAnswer {
    pub aid: String,
    pub tid: String,
    pub cid: String,
    pub partner_order_id: String,
    pub partner_user_id: String,
    pub payment_method_type: String,
    pub amount: Amount,
    pub approved_at: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct OrderBody {
    pub cid: String,
    pub tid: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct OrderAnswer {
    pub tid: String,
    pub cid: String,
    pub status: String,
    pub partner_order_id: String,
    pub amount: Amount,
    pub canceled_amount: Amount,
    pub cancel_available_amount: Amount,
    /// What was done so far; none for a payment that is open.
    #[serde(default)]
    pub payment_action_details: Option<Vec<Action>>,
}

/// A payment, or a cancellation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Action {
    pub aid: String,
    pub amount: i64,
    pub payment_action_type: String,
}

impl Action {
    pub fn is_payment(&self) -> bool {
        self.payment_action_type == "PAYMENT"
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct CancelBody {
    pub cid: String,
    pub tid: String,
    pub cancel_amount: i64,
    pub cancel_tax_free_amount: i64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct CancelAnswer {
    pub aid: String,
    pub tid: String,
    pub cid: String,
    pub status: String,
    pub canceled_amount: Amount,
    pub cancel_available_amount: Amount,
}

/// `error_code` is a number; some have seen a string.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorAnswer {
    pub error_code: serde_json::Value,
    pub error_message: String,
}

impl ErrorAnswer {
    pub fn code(&self) -> Option<i64> {
        self.error_code.as_i64().or_else(|| self.error_code.as_str()?.parse().ok())
    }
}
