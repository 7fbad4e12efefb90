//! One connection to the fake: login, statements, and what is planned to go wrong.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::login::{self, NOT_FROM_HERE, WRONG};
use super::protocol::{self, Stream, message, write};
use super::server::{Fault, When};
use super::session::Session;
use super::state::{Kind, Refusal, State};

/// A fault that waits for its statement.
pub(super) struct Plan {
    pub(super) beginning: String,
    pub(super) skip: usize,
    pub(super) fault: Fault,
    pub(super) when: When,
}
/// What all connections share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) plans: Mutex<Vec<Plan>>,
    pub(super) seen: Mutex<Vec<(String, String)>>,
    pub(super) unknown: Mutex<Vec<String>>,
    pub(super) sessions: Mutex<BTreeMap<String, u32>>,
    pub(super) refused_logins: Mutex<usize>,
    pub(super) requires_tls: AtomicBool,
}
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
impl Shared {
    /// The fault that is planned for this statement.
    fn planned(&self, statement: &str) -> Option<(Fault, When)> {
        let mut plans = locked(&self.plans);
        let nth = plans
            .iter()
            .position(|plan| statement.starts_with(&plan.beginning))?;
        if plans[nth].skip > 0 {
            plans[nth].skip -= 1;
            return None;
        }
        let plan = plans.remove(nth);
        Some((plan.fault, plan.when))
    }

    fn note(&self, user: &str, statement: &str) {
        locked(&self.seen).push((user.to_owned(), statement.to_owned()));
    }
}

/// Counts a session for as long as it lasts.
struct Counted(Arc<Shared>, String);

impl Counted {
    fn new(shared: &Arc<Shared>, user: &str) -> Option<Self> {
        let limit = locked(&shared.state)
            .users
            .get(user)
            .and_then(|it| it.connection_limit);
        let mut sessions = locked(&shared.sessions);
        let open = sessions.entry(user.to_owned()).or_default();
        if limit.is_some_and(|limit| *open >= limit) {
            return None;
        }
        *open += 1;
        Some(Self(Arc::clone(shared), user.to_owned()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(open) = locked(&self.0.sessions).get_mut(&self.1) {
            *open -= 1;
        }
    }
}

/// Serves a client until it goes.
pub(super) async fn serve(
    stream: TcpStream,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
) -> io::Result<()> {
    // Without it each answer waits for the client's kernel to acknowledge the one before.
    stream.set_nodelay(true)?;
    let (mut stream, startup) = login::start(Box::new(stream), &tls).await?;
    let stream = &mut *stream;
    let user = startup.user;
    let login = format!("LOGIN {user}");
    shared.note(&user, &login);
    if let Some((fault, _)) = shared.planned(&login) {
        return perform(fault, stream, "FATAL").await.map(drop);
    }
    if shared.requires_tls.load(Ordering::Relaxed) && !startup.encrypted {
        return write(stream, &protocol::refusal(NOT_FROM_HERE, "FATAL", &user)).await;
    }
    let state = locked(&shared.state).clone();
    if !login::proves(stream, &user, &state).await? {
        *locked(&shared.refused_logins) += 1;
        return write(stream, &protocol::refusal(WRONG, "FATAL", &user)).await;
    }
    if !state
        .things
        .contains_key(&(Kind::Database, vec![startup.database.clone()]))
    {
        return write(
            stream,
            &protocol::refusal(Refusal::of("3D000"), "FATAL", &user),
        )
        .await;
    }
    let Some(_counted) = Counted::new(&shared, &user) else {
        return write(
            stream,
            &protocol::refusal(Refusal::of("53300"), "FATAL", &user),
        )
        .await;
    };
    let mut session = Session::new(user.clone());
    let mut welcome = message(b'R', &[0; 4]);
    welcome.extend(message(b'S', b"server_version\x008.0.2\0"));
    welcome.extend(message(b'S', b"client_encoding\0UTF8\0"));
    welcome.extend(message(b'K', &[0; 8]));
    welcome.extend(message(b'Z', &[session.status()]));
    write(stream, &welcome).await?;
    loop {
        let (kind, body) = protocol::read(stream).await?;
        if kind != b'Q' {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&body);
        let text = text.trim_end_matches('\0');
        shared.note(&user, text);
        let plan = shared.planned(text);
        let mut whole = Vec::new();
        if let Some((Fault::Refuse(_), _)) = plan {
            session.abort();
        }
        if let Some((fault, When::Before)) = plan
            && !perform(fault, stream, "ERROR").await?
        {
            return Ok(());
        }
        if plan.is_none_or(|(_, when)| when == When::After) {
            let done = session.run(text, &mut locked(&shared.state));
            let answer = match done {
                Ok(answer) => answer,
                Err(refusal) => {
                    if refusal == Refusal::UNKNOWN {
                        locked(&shared.unknown).push(text.to_owned());
                    }
                    protocol::refusal(refusal, "ERROR", text)
                }
            };
            match plan {
                Some((fault, _)) if !perform(fault, stream, "ERROR").await? => return Ok(()),
                Some(_) => {}
                None => whole = answer,
            }
        }
        whole.extend(message(b'Z', &[session.status()]));
        write(stream, &whole).await?;
    }
}

/// Whether the connection goes on.
async fn perform(fault: Fault, stream: &mut dyn Stream, severity: &str) -> io::Result<bool> {
    match fault {
        Fault::Refuse(code) => {
            write(
                stream,
                &protocol::refusal(Refusal::of(code), severity, "a secret"),
            )
            .await?;
            Ok(true)
        }
        Fault::Hang => std::future::pending().await,
        Fault::Drop => Ok(false),
    }
}
