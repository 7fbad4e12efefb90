//! Where a server is reached.

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// Names of hosts have no case.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.host.eq_ignore_ascii_case(host)
    }

    /// Whether both lead to the same place.
    #[cfg(feature = "rds")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.port == other.port && self.has_host(&other.host)
    }
}

/// What the secret that rotates says of its server.
pub(crate) struct Wanted<'a> {
    /// Where its user has logged in.
    pub(crate) address: &'a Address,
    /// What RDS calls the engines that it can be, such as `aurora-postgresql`.
    #[cfg_attr(not(feature = "rds"), expect(dead_code, reason = "RDS is asked"))]
    pub(crate) engines: &'a [&'a str],
}
