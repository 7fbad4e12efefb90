//! Texts with places that are filled in from a secret: `Token {client_id}:{client_secret}`.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::{Endpoint, InvalidEndpoint, percent};

/// A text with places in braces. `{{` and `}}` stand for braces.
///
/// ```
/// use rotators::web::Template;
///
/// let template = Template::parse("Token {client_id}:{client_secret}")?;
/// assert!(template.names().eq(["client_id", "client_secret"]));
/// # Ok::<(), rotators::web::InvalidTemplate>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

/// No template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a text with places such as {{client_id}} in braces, and {{{{ and }}}} for braces")]
pub struct InvalidTemplate;

/// Nothing is known for this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfilled(pub(crate) String);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`InvalidTemplate`]: braces that do not match, or a place whose name is not of letters, digits,
    /// `_`, `-` and `.`.
    pub fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = after
                .strip_prefix("{{")
                .inspect(|_| plain.push('{'))
                .or_else(|| after.strip_prefix("}}").inspect(|_| plain.push('}')))
            {
                rest = after;
                continue;
            }
            let place = after.strip_prefix('{').ok_or(InvalidTemplate)?;
            let (name, after) = place.split_once('}').ok_or(InvalidTemplate)?;
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            if name.is_empty() || !name.chars().all(allowed) {
                return Err(InvalidTemplate);
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Place(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The names of its places, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Place(name) => Some(name.as_str()),
        })
    }

    /// Fills the places in, to the letter.
    pub(crate) fn fill(
        &self,
        value: &dyn Fn(&str) -> Option<SecretString>,
    ) -> Result<Zeroizing<String>, Unfilled> {
        self.render(value, &|value| Zeroizing::new(value.to_owned()))
    }

    fn render(
        &self,
        value: &dyn Fn(&str) -> Option<SecretString>,
        escape: &dyn Fn(&str) -> Zeroizing<String>,
    ) -> Result<Zeroizing<String>, Unfilled> {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Ok(Zeroizing::new(text.clone())),
            Part::Place(name) => value(name)
                .map(|value| escape(value.expose_secret()))
                .ok_or_else(|| Unfilled(name.clone())),
        });
        let parts: Vec<Zeroizing<String>> = parts.collect::<Result<_, _>>()?;
        // To size: a buffer that grows leaves copies of secrets behind.
        let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|p| p.len()).sum()));
        for part in &parts {
            text.push_str(part);
        }
        Ok(text)
    }
}

/// A URL with places in its path and query, never in its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate(Template);

/// Why a URL could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoUrl {
    /// Nothing is known for this place.
    Unfilled(String),
    /// A value would lead elsewhere: `.`, `..` or nothing.
    Astray,
}

impl UrlTemplate {
    /// Reads a template of a URL.
    ///
    /// # Errors
    /// What follows the field's name: the rule of templates, or of URLs ([`Endpoint::parse`]).
    pub fn parse(text: &str) -> Result<Self, String> {
        let template = Template::parse(text).map_err(|rule| rule.to_string())?;
        let url = Self(template);
        url.sample().map_err(|rule| rule.to_string())?;
        // Scheme and host end at the third slash.
        let host_is_text = match url.0.0.first() {
            Some(Part::Text(start)) => start.match_indices('/').count() >= 3,
            _ => false,
        };
        if host_is_text || url.0.names().next().is_none() {
            Ok(url)
        } else {
            Err("must have its places after the host: https://HOST/...".to_owned())
        }
    }

    /// The names of its places.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names()
    }

    /// The URL with something harmless in its places: it has the host of all others.
    ///
    /// # Errors
    /// [`InvalidEndpoint`]; not after [`parse`](Self::parse).
    pub fn sample(&self) -> Result<Endpoint, InvalidEndpoint> {
        let sample = self.0.fill(&|_| Some(SecretString::from("x")));
        Endpoint::parse(&sample.map_err(|_| InvalidEndpoint)?)
    }

    /// Fills the places in, percent-encoded.
    pub(crate) fn fill(
        &self,
        value: &dyn Fn(&str) -> Option<SecretString>,
    ) -> Result<Endpoint, NoUrl> {
        let astray = std::cell::Cell::new(false);
        let escape = |value: &str| {
            // Dots need no escape, and mean the folder above in a path.
            astray.set(astray.get() || ["", ".", ".."].contains(&value));
            percent::encode(value.as_bytes())
        };
        let url = self.0.render(value, &escape);
        let url = url.map_err(|Unfilled(name)| NoUrl::Unfilled(name))?;
        if astray.get() {
            return Err(NoUrl::Astray);
        }
        Endpoint::parse(&url).map_err(|_| NoUrl::Astray)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<SecretString> {
        match name {
            "id" => Some("a/b?c#d e".into()),
            "up" => Some("..".into()),
            "none" => Some("".into()),
            _ => None,
        }
    }

    #[test]
    fn places_are_filled_in_to_the_letter() {
        for (text, filled) in [
            ("", ""),
            ("plain", "plain"),
            ("{id}", "a/b?c#d e"),
            ("<{id}|{id}>", "<a/b?c#d e|a/b?c#d e>"),
            ("{{id}} {{{id}}}", "{id} {a/b?c#d e}"),
            ("{none}", ""),
        ] {
            let template = Template::parse(text).expect(text);
            assert_eq!(*template.fill(&value).expect(text), *filled, "{text}");
        }
        let template = Template::parse("{id}{secret}").expect("a template");
        assert_eq!(template.fill(&value), Err(Unfilled("secret".into())));
    }

    #[test]
    fn braces_match() {
        for text in [
            "{",
            "}",
            "{}",
            "{id",
            "id}",
            "{a b}",
            "{{id}",
            "{i{d}}",
            "{\"a\": 1}",
        ] {
            assert_eq!(Template::parse(text), Err(InvalidTemplate), "{text}");
        }
    }

    #[test]
    fn a_url_never_leads_to_another_host_or_folder() {
        let url = UrlTemplate::parse("https://example.com/keys/{id}?x={id}").expect("a URL");
        let filled = url.fill(&value).expect("a URL");
        assert_eq!(
            filled.url().as_str(),
            "https://example.com/keys/a%2Fb%3Fc%23d%20e?x=a%2Fb%3Fc%23d%20e"
        );
        for text in [
            "https://example.com/keys/{up}",
            "https://example.com/keys/{none}",
        ] {
            let url = UrlTemplate::parse(text).expect(text);
            assert_eq!(url.fill(&value), Err(NoUrl::Astray), "{text}");
        }
        for text in [
            "https://{id}/keys",
            "https://{id}.example.com/keys",
            "https://example.com{id}/keys",
            "{id}",
            "http://example.com/{id}",
            "https://example.com/{id",
        ] {
            assert!(UrlTemplate::parse(text).is_err(), "{text}");
        }
    }
}
