//! `smtp://user:password@host:port` and its two encrypted forms.

use secrecy::SecretString;
use std::net::IpAddr;
use url::Url;

/// How a connection is kept from strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// `smtp:`: not at all.
    Plain,
    /// `smtp+starttls:`: plain until `STARTTLS`, and nothing is said without it.
    StartTls,
    /// `smtps:`: from the first byte.
    Tls,
}

/// Where the server is, and who we are there.
#[derive(Clone, Debug)]
pub struct Address {
    pub security: Security,
    /// A name or an IP address, without brackets.
    pub host: String,
    pub port: u16,
    pub login: Option<(String, SecretString)>,
}

impl Address {
    /// The error says what is wrong, and repeats nothing: there may be a password in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (security, port) = match text.split(':').next().unwrap_or_default() {
            "smtp" => (Security::Plain, 25),
            "smtp+starttls" => (Security::StartTls, 587),
            "smtps" => (Security::Tls, 465),
            _ => return Err("none of folder:, smtp://, smtp+starttls:// and smtps://"),
        };
        const SHAPE: &str = "has no host, or is not like smtps://user:password@host:port";
        let url = Url::parse(text).map_err(|_| SHAPE)?;
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(SHAPE);
        }
        let user = decoded(url.username()).ok_or(SHAPE)?;
        let login = match (user.is_empty(), url.password()) {
            (true, None) => None,
            (false, Some(password)) => Some((user, SecretString::from(decoded(password).ok_or(SHAPE)?))),
            (true, Some(_)) | (false, None) => return Err("has a user or a password, but not both"),
        };
        Ok(Self { security, host, port: url.port().unwrap_or(port), login })
    }

    /// Whether strangers can listen: plain words to a host that is not this machine, nor on a private network. A name
    /// without a dot is a neighbour's, as in a network of containers.
    pub fn is_overheard(&self) -> bool {
        let is_near = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
            Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
            Err(_) => !self.host.contains('.'),
        };
        self.security == Security::Plain && !is_near
    }
}

/// `%40` is `@`. Nothing if it is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn an_address_says_how_where_and_who() {
        for (text, security, host, port, login) in [
            ("smtp://localhost", Security::Plain, "localhost", 25, None),
            ("smtp+starttls://mail.example.kr", Security::StartTls, "mail.example.kr", 587, None),
            ("smtps://me:p%40ss%2F+1@mail.example.kr/", Security::Tls, "mail.example.kr", 465, Some(("me", "p@ss/+1"))),
            ("smtps://me%40example.kr:x@[::1]:2465", Security::Tls, "::1", 2465, Some(("me@example.kr", "x"))),
        ] {
            let address = Address::parse(text).unwrap();
            let got = address.login.as_ref().map(|(user, password)| (user.as_str(), password.expose_secret()));
            assert_eq!((address.security, address.host.as_str(), address.port, got), (security, host, port, login));
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for text in [
            "smtp:",
            "smtp://",
            "smtps://me:hunter2@",
            "smtps://me:hunter2@host:mail",
            "smtps://me:hun/ter2@host",
            "smtps://me:hunter2@host/path",
            "smtps://me:hunter%2@host",
            "smtps://me@host",
            "mailto:hunter2@host",
            "hunter2",
        ] {
            let why = Address::parse(text).map(|_| ()).unwrap_err();
            assert!(!why.contains("ter2"), "{why}");
        }
        let debug = format!("{:?}", Address::parse("smtps://me:hunter2@host").unwrap());
        assert!(!debug.contains("hunter2"), "{debug}");
    }

    #[test]
    fn plain_words_are_for_neighbours() {
        for (text, is_overheard) in [
            ("smtp://127.0.0.1", false),
            ("smtp://[::1]:25", false),
            ("smtp://10.1.2.3", false),
            ("smtp://[fd00::1]", false),
            ("smtp://postfix", false),
            ("smtp://203.0.113.9", true),
            ("smtp://mail.example.kr", true),
            ("smtps://mail.example.kr", false),
            ("smtp+starttls://mail.example.kr", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_overheard(), is_overheard, "{text}");
        }
    }
}
