//! What a sign-up must look like: pure rules.

use crate::error::{Code, Problem, Problems};
use chrono::{Datelike, NaiveDate};

/// bcrypt reads 72 bytes; 64 characters of the four kinds below stay under that unless they are beyond ASCII.
pub const PASSWORD_BYTES: usize = 72;

pub fn email(problems: &mut Problems, path: &[&str], email: &str) {
    let is_valid =
        email.len() <= 254 && !email.contains(char::is_whitespace) && email.parse::<lettre::Address>().is_ok();
    problems.add_if(!is_valid, || {
        Problem::new(Code::Invalid, path, "이메일 주소가 올바르지 않습니다.", "Not a valid email address.")
    });
}

/// Lower case: one account for each mailbox, however it was typed.
pub fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

pub fn password(problems: &mut Problems, path: &[&str], password: &str) {
    problems.length(path, password, 8, 64);
    let has = |is: fn(&char) -> bool| password.chars().any(|c| is(&c));
    let has_all = has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
        && has(|c| !c.is_alphanumeric() && !c.is_whitespace());
    problems.add_if(!has_all || password.len() > PASSWORD_BYTES, || {
        let ko = "대문자, 소문자, 숫자, 기호를 모두 포함해 주세요.";
        Problem::new(Code::Invalid, path, ko, "Use upper case, lower case, a digit and a symbol.")
    });
}

/// `010-0000-0000`.
pub fn phone_number(problems: &mut Problems, path: &[&str], number: &str) {
    let parts: Vec<&str> = number.split('-').collect();
    let is_digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    let is_valid = matches!(parts.as_slice(), ["010", a, b] if is_digits(a, 4) && is_digits(b, 4));
    problems.add_if(!is_valid, || {
        Problem::new(Code::Invalid, path, "010-0000-0000 형식으로 입력해 주세요.", "Use the form 010-0000-0000.")
    });
}

pub fn birth_date(problems: &mut Problems, path: &[&str], date: NaiveDate, today: NaiveDate) {
    problems.add_if(date.year() < 1900 || date > today, || {
        Problem::new(Code::OutOfRange, path, "생년월일이 올바르지 않습니다.", "Not a possible birth date.")
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(check: impl Fn(&mut Problems)) -> bool {
        let mut problems = Problems::default();
        check(&mut problems);
        problems.is_empty()
    }

    #[test]
    fn passwords() {
        for (text, is_good) in [
            ("Spotlight1!", true),
            ("Ab1!efg", false),
            ("spotlight1!", false),
            ("SPOTLIGHT1!", false),
            ("Spotlight!!", false),
            ("Spotlight11", false),
            (&format!("Aa1!{}", "x".repeat(61)), false),
            (&format!("Aa1!{}", "가".repeat(30)), false),
        ] {
            assert_eq!(accepts(|p| password(p, &[], text)), is_good, "{text}");
        }
    }

    #[test]
    fn emails_and_phone_numbers() {
        for (text, is_good) in [("a@b.kr", true), ("a b@c.kr", false), ("a@", false), ("", false)] {
            assert_eq!(accepts(|p| email(p, &[], text)), is_good, "{text}");
        }
        for (text, is_good) in [("010-1234-5678", true), ("011-1234-5678", false), ("01012345678", false)] {
            assert_eq!(accepts(|p| phone_number(p, &[], text)), is_good, "{text}");
        }
    }
}
