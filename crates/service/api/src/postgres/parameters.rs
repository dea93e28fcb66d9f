//! `DATABASE_URL` taken apart into its base and its parameters, in either of libpq's forms: `postgres://…?key=value` and
//! `key=value key='va lue'`. No parameter is overlooked: whatever is not known here is refused by its name.

use super::database::DatabaseUrlError;

/// Whatever the driver reads by itself, and this service acts on.
const HONOURED: [&str; 13] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "options",
    "application_name",
    "connect_timeout",
    "channel_binding",
    "sslnegotiation",
    "load_balance_hosts",
    "sslmode",
];

type Parsed<T> = Result<T, DatabaseUrlError>;

/// The parameters in the order given, and what stands before them in a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    /// Scheme, user, password, hosts and database of a URL; empty in the other form.
    base: Option<String>,
    pairs: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let text = text.trim();
        let is_url = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        if is_url { url(text) } else { words(text) }
    }

    /// Takes the parameter `key` out; the last one if it is given more than once, as libpq does.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let mut taken = None;
        self.pairs.retain(|(name, value)| {
            let is_it = name == key;
            if is_it {
                taken = Some(value.clone());
            }
            !is_it
        });
        taken
    }

    pub(super) fn set(&mut self, key: &str, value: String) {
        self.pairs.push((key.to_owned(), value));
    }

    /// What is left, for the driver to read.
    pub(super) fn into_text(self) -> String {
        let pairs = self.pairs.iter();
        match self.base {
            Some(base) => {
                let pairs: Vec<_> = pairs.map(|(key, value)| in_url(key, value)).collect();
                format!("{base}?{}", pairs.join("&"))
            }
            None => {
                let pairs: Vec<_> = pairs.map(|(key, value)| in_words(key, value)).collect();
                pairs.join(" ")
            }
        }
    }

    /// Refuses what nobody took out and nobody acts upon.
    pub(super) fn refuse_unknown(&self) -> Parsed<()> {
        let mut before = "";
        for name in self.pairs.iter().map(|(key, _)| key.as_str()) {
            if !HONOURED.contains(&name) {
                // After an unquoted password with a space in it stands the rest of the password.
                let is_name = before != "password"
                    && name.chars().all(|it| it.is_ascii_lowercase() || it == '_');
                return Err(if is_name {
                    DatabaseUrlError::Unknown(name.to_owned())
                } else {
                    DatabaseUrlError::Malformed
                });
            }
            before = name;
        }
        Ok(())
    }
}

fn url(text: &str) -> Parsed<Parameters> {
    // As libpq has it: user and password end at the first `@`, if that is before the first slash, and a question mark among
    // them is theirs.
    let authority = text.find("://").map_or(0, |at| at + 3);
    let path = text[authority..]
        .find('/')
        .map_or(text.len(), |at| authority + at);
    let after_credentials = text[..path].find('@').map_or(authority, |at| at + 1);
    let (credentials, rest) = text.split_at(after_credentials);
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    // The driver would take any other for the end of the credentials.
    let base = credentials.to_owned() + &address.replace('@', "%40");
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').ok_or(DatabaseUrlError::Malformed)?;
        Ok((decode(key)?, decode(value)?))
    });
    Ok(Parameters {
        base: Some(base),
        pairs: pairs.collect::<Parsed<_>>()?,
    })
}

fn words(text: &str) -> Parsed<Parameters> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(DatabaseUrlError::Malformed)?;
        let (value, after) = word(after.trim_start())?;
        pairs.push((key.trim().to_owned(), value));
        rest = after.trim_start();
    }
    Ok(Parameters { base: None, pairs })
}

/// A value, quoted or not, and what follows it.
fn word(text: &str) -> Parsed<(String, &str)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            _ if !quoted && character.is_whitespace() => return Ok((value, &text[at..])),
            _ => value.push(character),
        }
    }
    if quoted {
        return Err(DatabaseUrlError::Malformed);
    }
    Ok((value, ""))
}

fn decode(text: &str) -> Parsed<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or(DatabaseUrlError::Malformed)?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_| DatabaseUrlError::Malformed)
}

fn in_url(key: &str, value: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    let value: String = value.bytes().map(escape).collect();
    format!("{key}={value}")
}

fn in_words(key: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('\'', "\\'");
    format!("{key}='{value}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> tokio_postgres::Config {
        let parameters = Parameters::parse(text).unwrap();
        parameters.into_text().parse().unwrap()
    }

    #[test]
    fn both_forms_say_the_same_with_whatever_characters() {
        for text in [
            "postgres://me:p%20w?d@one:1,two:2/db?options=-c%20a%3D%27b%27&connect_timeout=3",
            "host=one,two port=1,2 user=me password='p w?d' dbname=db options='-c a=\\'b\\'' connect_timeout = 3",
        ] {
            let config = round(text);
            assert_eq!(config.get_password(), Some(&b"p w?d"[..]), "{text}");
            assert_eq!(config.get_ports(), [1, 2], "{text}");
            assert_eq!(config.get_dbname(), Some("db"), "{text}");
            assert_eq!(config.get_options(), Some("-c a='b'"), "{text}");
        }
    }

    #[test]
    fn a_parameter_is_taken_out_and_the_last_one_holds() {
        let mut parameters = Parameters::parse("postgres://h/d?a=1&b=2&a=3").unwrap();
        assert_eq!(parameters.take("a").as_deref(), Some("3"));
        assert_eq!(parameters.into_text(), "postgres://h/d?b=2");
    }

    #[test]
    fn an_at_sign_ends_the_credentials_only_before_the_first_slash() {
        let config = round("postgres://h/d?options=-c%20role%3Da@b&connect_timeout=3");
        assert_eq!((config.get_user(), config.get_dbname()), (None, Some("d")));
        assert_eq!(config.get_options(), Some("-c role=a@b"));
        assert!(config.get_connect_timeout().is_some());
        let config = round("postgres://h/d@e?options=-c%20role%3Da");
        assert_eq!(
            (config.get_user(), config.get_dbname()),
            (None, Some("d@e"))
        );
        assert_eq!(config.get_options(), Some("-c role=a"));
        let unknown = Parameters::parse("postgres://h/d?user=a@b&sslcrl=x").unwrap();
        assert!(unknown.refuse_unknown().is_err());
    }

    #[test]
    fn what_is_cut_short_is_malformed() {
        for text in ["postgres://h/d?a", "postgres://h/d?a=%2", "host", "host='x"] {
            assert!(Parameters::parse(text).is_err(), "{text}");
        }
    }
}
