//! The words of an order's status.

/// Where the provider says a payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    Ready,
    SendTms,
    OpenPayment,
    SelectMethod,
    ArsWaiting,
    AuthPassword,
    IssuedSid,
    SuccessPayment,
    PartCancelPayment,
    CancelPayment,
    FailAuthPassword,
    QuitPayment,
    FailPayment,
    Unknown(String),
}

impl OrderStatus {
    pub fn parse(word: &str) -> Self {
        match word {
            "READY" => Self::Ready,
            "SEND_TMS" => Self::SendTms,
            "OPEN_PAYMENT" => Self::OpenPayment,
            "SELECT_METHOD" => Self::SelectMethod,
            "ARS_WAITING" => Self::ArsWaiting,
            "AUTH_PASSWORD" => Self::AuthPassword,
            "ISSUED_SID" => Self::IssuedSid,
            "SUCCESS_PAYMENT" => Self::SuccessPayment,
            "PART_CANCEL_PAYMENT" => Self::PartCancelPayment,
            "CANCEL_PAYMENT" => Self::CancelPayment,
            "FAIL_AUTH_PASSWORD" => Self::FailAuthPassword,
            "QUIT_PAYMENT" => Self::QuitPayment,
            "FAIL_PAYMENT" => Self::FailPayment,
            other => Self::Unknown(other.to_owned()),
        }
    }
}
