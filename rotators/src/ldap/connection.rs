//! A session: one login, and requests that each have a deadline.

use std::collections::HashSet;
use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Mod, Scope, SearchEntry,
    StdStream,
};
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::{Context, RotatorError};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::account::{Account, Change};
use super::credential::{Login, Server, Tls};
use super::error::{Peer, Role, code};
use super::policy::{self, Objection};
use super::scheme::Stored;
use super::settings::{LdapSettings, PasswordScheme};
use crate::{database, tcp, tls};

const PASSWORD: &str = "userPassword";
/// There while a policy has the entry locked; not always visible.
const LOCKED: &str = "pwdAccountLockedTime";

/// What became of a login; wrong is a wrong password, or no such entry.
pub(super) type Entry = database::Entry<Session>;

/// What became of a change that the server understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Done,
    /// What was to be added is there, or what was to be removed is not: nothing was changed.
    Conflict,
}

/// A session that lasts as long as the value.
pub(super) struct Session {
    ldap: Ldap,
    peer: Peer,
    scheme: PasswordScheme,
    patience: Duration,
    deadline: Instant,
    /// What reads from the connection and writes to it; it ends with this value.
    driver: JoinSet<Result<(), LdapError>>,
}

impl Session {
    /// Logs in, presenting the password once.
    pub(super) async fn open(
        server: &Server,
        (login, role): (&Login, Role),
        settings: &LdapSettings,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let peer = Peer {
            host: server.host.clone(),
            port: server.port,
            role,
        };
        let deadline = cx.deadline().min(Instant::now() + settings.timeouts.login);
        let (connection, ldap) = connect(&peer, server, settings, deadline).await?;
        let mut driver = JoinSet::new();
        driver.spawn(connection.drive());
        let mut session = Self {
            ldap,
            peer,
            scheme: settings.password_scheme,
            patience: settings.timeouts.statement,
            deadline,
            driver,
        };
        let answer = session.bind(login).await?;
        session.deadline = cx.deadline();
        if answer.rc != code::SUCCESS {
            return session.peer.at_login(&answer).map(|()| Entry::Wrong);
        }
        if Objection::in_answer(&answer) == Some(Objection::ChangeAfterReset) {
            tracing::warn!(
                peer = %session.peer,
                "the server lets this login do nothing until the password is changed (pwdReset); the next \
                 change does that"
            );
        }
        Ok(Entry::Open(session))
    }

    /// Where this session leads.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    async fn bind(&mut self, login: &Login) -> Result<LdapResult, RotatorError> {
        let Login { username, password } = login.clone();
        self.ask(async move |mut ldap: Ldap| {
            let ldap = ldap.with_controls(policy::request());
            ldap.simple_bind(&username, password.expose_secret()).await
        })
        .await
    }

    /// Reads an entry; nothing if there is none, or none that may be seen.
    pub(super) async fn read(&mut self, entry: &str) -> Result<Option<Account>, RotatorError> {
        let entry = entry.to_owned();
        let read = async move |mut ldap: Ldap| {
            let wanted = [PASSWORD, LOCKED];
            let found = ldap.search(&entry, Scope::Base, "(objectClass=*)", wanted);
            let found = found.await?;
            // In here, since it panics on what is no entry.
            let accounts: Vec<_> = found.0.into_iter().map(SearchEntry::construct).collect();
            Ok((accounts, found.1))
        };
        let (mut entries, answer) = self.ask(read).await?;
        match answer.rc {
            code::SUCCESS => Ok(entries.pop().map(account)),
            code::NO_SUCH_OBJECT => Ok(None),
            code::INSUFFICIENT_ACCESS => Err(self.peer.no_access()),
            _ => Err(self.peer.refused(&answer)),
        }
    }

    /// Changes an entry by one request, which the server does whole or not at all.
    pub(super) async fn change(
        &mut self,
        entry: &str,
        change: Change,
    ) -> Result<Changed, RotatorError> {
        let entry = entry.to_owned();
        let attribute = || PASSWORD.as_bytes().to_vec();
        let values = |all: &[Stored]| all.iter().map(|one| one.0.to_vec()).collect::<HashSet<_>>();
        let requests = match &change {
            Change::Add(new) => vec![Mod::Add(attribute(), values(std::slice::from_ref(new)))],
            Change::Remove(old) => vec![Mod::Delete(attribute(), values(old))],
            Change::Exchange { old, new } => vec![
                Mod::Delete(attribute(), values(std::slice::from_ref(old))),
                Mod::Add(attribute(), values(std::slice::from_ref(new))),
            ],
        };
        let answer = self
            .ask(async move |mut ldap: Ldap| {
                let ldap = ldap.with_controls(policy::request());
                ldap.modify(&entry, requests).await
            })
            .await?;
        match answer.rc {
            code::SUCCESS => Ok(Changed::Done),
            code::NO_SUCH_ATTRIBUTE | code::VALUE_EXISTS => Ok(Changed::Conflict),
            _ => Err(self.peer.at_change(&answer, self.scheme)),
        }
    }

    async fn ask<T, F>(&mut self, request: impl FnOnce(Ldap) -> F) -> Result<T, RotatorError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LdapError>> + Send + 'static,
    {
        let deadline = self.deadline.min(Instant::now() + self.patience);
        let work = request(self.ldap.clone());
        let fault = match in_time(deadline, work).await {
            Ok(answer) => return Ok(answer),
            // The connection has ended, and it knows why.
            Err(Fault::Library(LdapError::ResultRecv { .. } | LdapError::OpSend { .. })) => {
                let driven = timeout_at(deadline, self.driver.join_next());
                match driven.await {
                    Ok(Some(Ok(Ok(())))) => Fault::Library(LdapError::EndOfStream),
                    Ok(Some(Ok(Err(fault)))) => Fault::Library(fault),
                    Ok(_) => Fault::Panic,
                    Err(_) => Fault::Late,
                }
            }
            Err(fault) => fault,
        };
        Err(fault.at(&self.peer, "did not answer"))
    }
}

/// Why there is no answer.
enum Fault {
    Library(LdapError),
    /// The library panics on answers that are no LDAP, and that is the server's fault.
    Panic,
    Late,
}

impl Fault {
    /// `late` is what did not happen in time.
    fn at(self, peer: &Peer, late: &str) -> RotatorError {
        match self {
            Self::Library(fault) => peer.broken(&fault),
            Self::Panic => peer.not_ldap(),
            Self::Late => peer.silent(late),
        }
    }
}

/// Runs in a task of its own, which catches panics, and ends with this call.
async fn in_time<T: Send + 'static>(
    deadline: Instant,
    work: impl Future<Output = Result<T, LdapError>> + Send + 'static,
) -> Result<T, Fault> {
    let mut tasks = JoinSet::new();
    tasks.spawn(work);
    match timeout_at(deadline, tasks.join_next()).await {
        Ok(Some(Ok(Ok(answer)))) => Ok(answer),
        Ok(Some(Ok(Err(fault)))) => Err(Fault::Library(fault)),
        Ok(_) => Err(Fault::Panic),
        Err(_) => Err(Fault::Late),
    }
}

async fn connect(
    peer: &Peer,
    server: &Server,
    settings: &LdapSettings,
    deadline: Instant,
) -> Result<(LdapConnAsync, Ldap), RotatorError> {
    let options = LdapConnSettings::new();
    let (url, options, what) = match &server.tls {
        // The name means nothing: the connection is made here.
        Tls::Plaintext => ("ldap://server".to_owned(), options, "did not answer"),
        Tls::Verified { server_name, ca } => {
            let name = server_name.as_ref().unwrap_or(&server.host);
            tls::check_server_name(name)?;
            check_library_takes(name)?;
            let ca = ca.as_ref().or(settings.ca_certificate.as_ref());
            let scheme = if server.start_tls { "ldap" } else { "ldaps" };
            let options = options
                .set_config(tls::verifying(ca)?)
                .set_starttls(server.start_tls);
            let what = "did not answer to TLS (is it the port that `start_tls` says?)";
            (format!("{scheme}://{name}"), options, what)
        }
    };
    let stream = tcp::connect(&server.host, server.port, peer, deadline).await?;
    let stream = stream.into_std().map_err(|_| peer.not_ldap())?;
    let options = options.set_std_stream(StdStream::Tcp(stream));
    let opening = async move { LdapConnAsync::with_settings(options, &url).await };
    let opened = in_time(deadline, opening).await;
    opened.map_err(|fault| fault.at(peer, what))
}

/// The library cannot verify a certificate by an IPv6 address.
fn check_library_takes(name: &str) -> Result<(), RotatorError> {
    if name.parse::<Ipv6Addr>().is_ok() {
        return Err(RotatorError::misconfigured(
            "a certificate cannot be verified by an IPv6 address; give the name that it holds as \
             `tls_server_name`",
        ));
    }
    Ok(())
}

fn account(entry: SearchEntry) -> Account {
    let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
    let locked = entry.attrs.keys().any(|name| is(name, LOCKED));
    let texts = entry
        .attrs
        .into_iter()
        .filter(|(name, _)| is(name, PASSWORD));
    let texts = texts.flat_map(|(_, values)| values.into_iter().map(String::into_bytes));
    // Where one value is no text, the library takes all of the attribute for bytes.
    let bytes = entry
        .bin_attrs
        .into_iter()
        .filter(|(name, _)| is(name, PASSWORD));
    let bytes = bytes.flat_map(|(_, values)| values);
    let values = texts
        .chain(bytes)
        .map(|value| Stored(Zeroizing::new(value)));
    Account {
        values: values.collect(),
        locked,
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.peer)
    }
}
