//! The letters about an account, in both languages. Each is sent to a mailbox that somebody typed, so none says more than
//! its owner may know.

use crate::{infra::mail::Letter, language::Language};
use entity::enums::SocialProvider;

/// The code that proves the mailbox of a new account.
pub fn sign_up_code(id: String, to: String, language: Language, digits: &str, minutes: u64) -> Letter {
    let (title, what, note) = match language {
        Language::Ko => (
            format!("인증번호 {digits}"),
            format!("가입을 마치려면 아래 인증번호를 {minutes}분 안에 입력해 주세요."),
            "가입을 요청하지 않으셨다면 이 메일을 무시하세요. 계정은 만들어지지 않습니다.",
        ),
        Language::En => (
            format!("Your code is {digits}"),
            format!("Enter this code within {minutes} minutes to finish signing up."),
            "If you did not ask for it, ignore this mail: no account is made.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).code(digits).note(note)
}

/// The code that lets its reader choose a new password.
pub fn reset_code(id: String, to: String, language: Language, digits: &str, minutes: u64) -> Letter {
    let (title, what, note) = match language {
        Language::Ko => (
            format!("비밀번호 재설정 인증번호 {digits}"),
            format!("새 비밀번호를 정하려면 아래 인증번호를 {minutes}분 안에 입력해 주세요."),
            "요청하지 않으셨다면 이 메일을 무시하세요. 비밀번호는 그대로입니다. 인증번호를 누구에게도 알려 주지 마세요.",
        ),
        Language::En => (
            format!("Your code for a new password is {digits}"),
            format!("Enter this code within {minutes} minutes to choose a new password."),
            "If you did not ask for it, ignore this mail: your password stays as it is. Tell nobody the code.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).code(digits).note(note)
}

/// The code that proves the mailbox that an account is to have.
pub fn change_code(id: String, to: String, language: Language, digits: &str, minutes: u64) -> Letter {
    let (title, what, note) = match language {
        Language::Ko => (
            format!("이메일 변경 인증번호 {digits}"),
            format!("계정에서 이 이메일을 쓰려면 아래 인증번호를 {minutes}분 안에 입력해 주세요."),
            "요청하지 않으셨다면 이 메일을 무시하세요. 인증번호를 누구에게도 알려 주지 마세요.",
        ),
        Language::En => (
            format!("Your code for this email is {digits}"),
            format!("Enter this code within {minutes} minutes to use this email for your account."),
            "If you did not ask for it, ignore this mail. Tell nobody the code.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).code(digits).note(note)
}

/// To the mailbox that an account had.
pub fn email_changed(id: String, to: String, language: Language) -> Letter {
    let (title, what, note) = match language {
        Language::Ko => (
            "계정의 이메일이 변경되었습니다",
            "이제 다른 이메일로 로그인하고, 메일도 그곳으로 보내 드립니다.",
            "직접 변경하지 않으셨다면 저희에게 바로 알려 주세요.",
        ),
        Language::En => (
            "The email of your account was changed",
            "You sign in with another email from now on, and mail goes there.",
            "If it was not you, tell us at once.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).note(note)
}

/// In the place of a sign-up code: the page that asked learns nothing, the mailbox's owner does.
pub fn has_account(id: String, to: String, language: Language) -> Letter {
    let (title, what, note) = match language {
        Language::Ko => (
            "이미 가입된 이메일입니다",
            "이 이메일로 이미 가입되어 있습니다. 로그인하거나 비밀번호를 재설정해 주세요.",
            "가입을 요청하지 않으셨다면 이 메일을 무시하세요.",
        ),
        Language::En => (
            "You already have an account",
            "This email already has an account. Sign in, or reset your password.",
            "If you did not ask for it, ignore this mail.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).note(note)
}

/// After every change, also by a reset: who did not do it must hear of it.
pub fn password_changed(id: String, to: String, language: Language) -> Letter {
    let (title, what, note) = match language {
        Language::Ko => (
            "비밀번호가 변경되었습니다",
            "계정의 비밀번호가 변경되었고, 로그인된 모든 기기에서 로그아웃되었습니다.",
            "직접 변경하지 않으셨다면 지금 바로 비밀번호를 재설정해 주세요.",
        ),
        Language::En => (
            "Your password was changed",
            "The password of your account was changed, and every device was signed out.",
            "If it was not you, reset your password now.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).note(note)
}

fn name(provider: SocialProvider, language: Language) -> &'static str {
    match (provider, language) {
        (SocialProvider::Kakao, Language::Ko) => "카카오",
        (SocialProvider::Kakao, Language::En) => "Kakao",
        (SocialProvider::Naver, Language::Ko) => "네이버",
        (SocialProvider::Naver, Language::En) => "Naver",
    }
}

/// One more way in.
pub fn linked(id: String, to: String, language: Language, provider: SocialProvider) -> Letter {
    let provider = name(provider, language);
    let (title, what, note) = match language {
        Language::Ko => (
            format!("{provider} 로그인이 연결되었습니다"),
            format!("이제 {provider} 로그인으로도 계정에 들어올 수 있습니다."),
            "직접 연결하지 않으셨다면 지금 바로 연결을 해제하고 비밀번호를 바꿔 주세요.",
        ),
        Language::En => (
            format!("{provider} was linked to your account"),
            format!("Signing in with {provider} opens your account from now on."),
            "If it was not you, end that link and change your password now.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).note(note)
}

/// One way in less.
pub fn unlinked(id: String, to: String, language: Language, provider: SocialProvider) -> Letter {
    let provider = name(provider, language);
    let (title, what, note) = match language {
        Language::Ko => (
            format!("{provider} 로그인 연결이 해제되었습니다"),
            format!("이제 {provider} 로그인으로는 계정에 들어올 수 없습니다."),
            "직접 해제하지 않으셨다면 지금 바로 비밀번호를 바꿔 주세요.",
        ),
        Language::En => (
            format!("{provider} was unlinked from your account"),
            format!("Signing in with {provider} no longer opens your account."),
            "If it was not you, change your password now.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).note(note)
}

/// The last letter to somebody who left.
pub fn withdrawn(id: String, to: String, language: Language) -> Letter {
    let (title, what, note) = match language {
        Language::Ko => (
            "탈퇴가 완료되었습니다",
            "탈퇴가 완료되어 개인정보를 삭제했습니다. 그동안 함께해 주셔서 고맙습니다.",
            "거래 기록과 이름이 지워진 후기는 남습니다. 같은 이메일로 언제든 다시 가입하실 수 있습니다.",
        ),
        Language::En => (
            "Your account is closed",
            "Your account is closed, and what was personal in it is erased. Thank you for having been with us.",
            "Records of sales, and reviews without your name, are kept. You can sign up with the same email at any time.",
        ),
    };
    Letter::new(id, to, language, title).paragraph(what).note(note)
}
