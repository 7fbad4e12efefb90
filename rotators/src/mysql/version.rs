//! Which server it is, and what it can do.

/// What `VERSION()` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) is_mariadb: bool,
    /// Major, minor, patch; what is not a number counts as the latest.
    version: [u32; 3],
}

impl Server {
    pub(super) fn of(version: &str) -> Self {
        // Old replicas of MariaDB put this in front.
        let numbers = version.strip_prefix("5.5.5-").unwrap_or(version);
        let mut numbers = numbers
            .split(['.', '-'])
            .map(|part| part.parse().unwrap_or(u32::MAX));
        Self {
            is_mariadb: version.to_ascii_lowercase().contains("mariadb"),
            version: std::array::from_fn(|_| numbers.next().unwrap_or(0)),
        }
    }

    /// Whether an account can have two passwords at once.
    pub(super) fn has_two_passwords(self) -> bool {
        self.version
            >= if self.is_mariadb {
                [10, 4, 0]
            } else {
                [8, 0, 14]
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_what_they_say() {
        for (version, is_mariadb, two) in [
            ("9.7.4-2", false, true),
            ("8.4.3", false, true),
            ("8.0.14", false, true),
            ("8.0.13", false, false),
            ("5.7.44-log", false, false),
            ("8.0.mysql_aurora.3.04.0", false, true),
            ("5.7.mysql_aurora.2.11.2", false, false),
            ("10.11.19-MariaDB-0+deb12u1-log", true, true),
            ("10.4.0-MariaDB", true, true),
            ("10.3.39-MariaDB", true, false),
            ("5.5.5-10.6.14-MariaDB-log", true, true),
            ("5", false, false),
        ] {
            let server = Server::of(version);
            assert_eq!(
                (server.is_mariadb, server.has_two_passwords()),
                (is_mariadb, two),
                "{version}"
            );
        }
    }
}
