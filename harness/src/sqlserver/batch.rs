//! A connection from its first message to its last.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::catalogue;
use super::ddl;
use super::lexer::{Reader, Word, words};
use super::packet::{self, BATCH, LOGIN, PRELOGIN, Refusal};
use super::state::{Session, State};
use super::stream::Wrapped;
use super::{Action, Encryption, Shared};
use crate::proxy::Fault;

/// Serves a client until it goes, or does what no client does.
pub(super) async fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let Some((PRELOGIN, prelogin)) = packet::read_message(&mut client).await? else {
        return Ok(());
    };
    let wanted = packet::encryption_of(&prelogin);
    // "3.3.5.1": what the client wants, and what the server says to that.
    let said = match (wanted, shared.encryption) {
        (Some(0..=3), Encryption::NotSupported) | (Some(2), Encryption::Offered) => 2,
        (Some(1 | 3), Encryption::Offered | Encryption::Required) => 1,
        (Some(0 | 2), Encryption::Required) => 3,
        // Encryption of the login alone is not offered here.
        _ => return Ok(()),
    };
    packet::write_message(&mut client, &packet::prelogin(said)).await?;
    match (wanted, said) {
        (Some(1 | 3), 1) => {
            // As SQL Server has it below TDS 8.
            let config = shared.files.server_config(&[&rustls::version::TLS12]);
            let acceptor = TlsAcceptor::from(config);
            let mut stream = acceptor.accept(Wrapped::new(client)).await?;
            stream.get_mut().0.bare();
            converse(stream, shared).await
        }
        (Some(2), 2) => converse(client, shared).await,
        _ => Ok(()),
    }
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: &Shared,
) -> io::Result<()> {
    let Some((LOGIN, message)) = packet::read_message(&mut stream).await? else {
        return Ok(());
    };
    let Some(who) = packet::login(&message) else {
        let mut state = shared.state();
        state
            .not_understood
            .push("a login of another kind".to_owned());
        return Ok(());
    };
    let entered = shared.state().enter(&who);
    let mut session = match entered {
        Ok(session) => session,
        Err(refusal) => {
            let answer = [packet::error(&refusal), packet::done(2, 0)].concat();
            return packet::write_message(&mut stream, &answer).await;
        }
    };
    let welcome = [
        packet::database_changed(&session.database, "master"),
        packet::login_ack(),
        packet::done(0, 0),
    ];
    packet::write_message(&mut stream, &welcome.concat()).await?;

    while let Some((kind, message)) = packet::read_message(&mut stream).await? {
        let sql = packet::batch(&message).filter(|_| kind == BATCH);
        let Some(sql) = sql else {
            let what = format!("a message of type {kind}");
            shared.state().not_understood.push(what);
            return Ok(());
        };
        let fault = shared.fault();
        if let Some(Fault::Before(action)) = &fault
            && act(action, &mut stream).await?
        {
            continue;
        }
        let answer = answer(&mut shared.state(), &mut session, sql);
        if let Some(Fault::After(action)) = &fault
            && act(action, &mut stream).await?
        {
            continue;
        }
        packet::write_message(&mut stream, &answer).await?;
    }
    Ok(())
}

/// Whether the client has got its answer.
async fn act(action: &Action, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
    match action {
        Action::Hang => std::future::pending().await,
        Action::Drop => Err(io::ErrorKind::ConnectionAborted.into()),
        Action::Error(number) => {
            let refusal = Refusal::new(*number, "as the test wants it");
            let answer = [packet::error(&refusal), packet::done(2, 0)].concat();
            packet::write_message(stream, &answer).await?;
            Ok(true)
        }
    }
}

fn answer(state: &mut State, session: &mut Session, sql: String) -> Vec<u8> {
    let before = session.database.clone();
    let done = run(state, session, &sql);
    let is_lost = matches!(&done, Err(refusal) if refusal.number == 102);
    if is_lost {
        state.not_understood.push(sql.clone());
    }
    // As SQL Server does it: the words of an error quote what they are about.
    let done = done.map_err(|refusal| Refusal::new(refusal.number, format!("near {sql}")));
    state.statements.push(sql);
    match done {
        Ok(None) if session.database == before => packet::done(0, 0),
        Ok(None) => {
            let changed = packet::database_changed(&session.database, &before);
            [changed, packet::done(0, 0)].concat()
        }
        Ok(Some((columns, rows))) => packet::rows(&columns, &rows),
        Err(refusal) => [packet::error(&refusal), packet::done(2, 0)].concat(),
    }
}

/// Runs a batch of one statement.
pub(super) fn run(
    state: &mut State,
    session: &mut Session,
    sql: &str,
) -> Result<Option<catalogue::Answer>, Refusal> {
    let not_understood = || Refusal::new(102, "Incorrect syntax");
    let words = words(sql).ok_or_else(not_understood)?;
    if words.first() == Some(&Word::Bare("SELECT".to_owned())) {
        let answer = catalogue::select(state, session, &words)
            .or_else(|| catalogue::owned(state, session, &words));
        return answer.map(Some).ok_or_else(not_understood);
    }
    let mut reader = Reader(&words);
    if reader.takes("USE") {
        let name = reader.name().filter(|_| reader.is_over());
        let name = name.ok_or_else(not_understood)?;
        if !state.databases.contains_key(&name) {
            return Err(Refusal::new(911, "no such database"));
        }
        if !state.may_enter(session, &name) {
            return Err(Refusal::new(916, "may not enter"));
        }
        session.database = name;
        return Ok(None);
    }
    let done = ddl::run(state, session, &mut reader).ok_or_else(not_understood)?;
    done.map(|()| None)
}
