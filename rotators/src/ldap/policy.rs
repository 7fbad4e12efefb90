//! What a server says of its password policy, beside the answer to a request.
//!
//! The control is that of draft-behera-ldap-password-policy-10: requested without a value, answered with
//! `SEQUENCE { warning [0] CHOICE { .. } OPTIONAL, error [1] ENUMERATED OPTIONAL }` (section 6.2).

use ldap3::LdapResult;
use ldap3::controls::RawControl;

const OID: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// The tag of `error`: a primitive of the context, number 1.
const ERROR: u8 = 0x81;
const SEQUENCE: u8 = 0x30;

/// Asks the server to say what its policy has to do with the answer. Not critical: a server without policies
/// ignores it.
pub(super) fn request() -> Vec<RawControl> {
    vec![RawControl {
        ctype: OID.to_owned(),
        crit: false,
        val: None,
    }]
}

/// What a policy has against a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    PasswordExpired,
    AccountLocked,
    ChangeAfterReset,
    ModificationNotAllowed,
    MustSupplyOldPassword,
    InsufficientQuality,
    TooShort,
    TooYoung,
    InHistory,
}

impl Objection {
    /// What came with this answer.
    pub(super) fn in_answer(answer: &LdapResult) -> Option<Self> {
        let controls = answer.ctrls.iter().map(|control| &control.1);
        let mut values = controls.filter(|it| it.ctype == OID);
        Self::read(values.next()?.val.as_deref()?)
    }

    fn read(value: &[u8]) -> Option<Self> {
        let (SEQUENCE, mut parts, _) = element(value)? else {
            return None;
        };
        while let Some((tag, content, rest)) = element(parts) {
            if tag == ERROR {
                let [number] = content else { return None };
                return Self::numbered(*number);
            }
            parts = rest;
        }
        None
    }

    fn numbered(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::PasswordExpired,
            1 => Self::AccountLocked,
            2 => Self::ChangeAfterReset,
            3 => Self::ModificationNotAllowed,
            4 => Self::MustSupplyOldPassword,
            5 => Self::InsufficientQuality,
            6 => Self::TooShort,
            7 => Self::TooYoung,
            8 => Self::InHistory,
            _ => return None,
        })
    }

    /// Its name in the draft.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PasswordExpired => "passwordExpired",
            Self::AccountLocked => "accountLocked",
            Self::ChangeAfterReset => "changeAfterReset",
            Self::ModificationNotAllowed => "passwordModNotAllowed",
            Self::MustSupplyOldPassword => "mustSupplyOldPassword",
            Self::InsufficientQuality => "insufficientPasswordQuality",
            Self::TooShort => "passwordTooShort",
            Self::TooYoung => "passwordTooYoung",
            Self::InHistory => "passwordInHistory",
        }
    }
}

/// The first element: its tag, its content, and what is behind it. These values are a few bytes long, so that
/// lengths have the short form.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk()?;
    let (content, rest) = (length < 0x80)
        .then(|| rest.split_at_checked(usize::from(length)))
        .flatten()?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objection_is_read_with_and_without_a_warning() {
        let read = |bytes: &[u8]| Objection::read(bytes);
        // As OpenLDAP sends them: nothing, an error, a warning, both.
        assert_eq!(read(&[0x30, 0]), None);
        assert_eq!(read(&[0x30, 3, 0x81, 1, 1]), Some(Objection::AccountLocked));
        assert_eq!(read(&[0x30, 5, 0xa0, 3, 0x81, 1, 2]), None, "grace logins");
        let both = [0x30, 8, 0xa0, 3, 0x80, 1, 9, 0x81, 1, 0];
        assert_eq!(read(&both), Some(Objection::PasswordExpired));
        for number in 0..=8 {
            let one = read(&[0x30, 3, 0x81, 1, number]).expect("one of the draft's");
            assert!(!one.name().is_empty());
        }
    }

    #[test]
    fn what_is_no_objection_is_none() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 3, 0x81, 1],
            &[0x30, 3, 0x81, 1, 9],
            &[0x30, 4, 0x81, 2, 0, 1],
            &[0x30, 0x83, 0x81, 1, 1],
            &[0x31, 3, 0x81, 1, 1],
        ] {
            assert_eq!(Objection::read(bytes), None, "{bytes:?}");
        }
    }
}
