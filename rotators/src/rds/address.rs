//! Where a server is reached.

/// Where a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an IP address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
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
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Where its user has logged in.
    pub address: &'a Address,
    /// What RDS calls the engines that it can be, such as `aurora-postgresql`.
    pub engines: &'a [&'a str],
}
