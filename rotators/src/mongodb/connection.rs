//! A session at the primary: one login, and commands that each have a deadline.

use std::fmt;
use std::io;
use std::time::Duration;

use bson::raw::{CStr, RawBsonRef, RawDocument, RawDocumentBuf, cstr};
use bson::{Binary, rawdoc};
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::{Context, RotatorError};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout_at};

use super::credential::{MongoDbCredential, Node, Tls, User};
use super::error::{Failure, Peer, Role};
use super::scram::{Mechanism, Scram};
use super::settings::MongoDbSettings;
use super::wire;
use crate::database::{self, NoStream, Stream};

/// The first version of the protocol with `OP_MSG`: `MongoDB` 3.6.
const OLDEST_PROTOCOL: i32 = 6;

/// What became of a login; wrong is a wrong password, or an unknown user.
pub(super) type Entry = database::Entry<Box<Session>>;

/// A session that lasts as long as the value. It has no tasks of its own.
pub(super) struct Session {
    stream: BufReader<Box<dyn Stream>>,
    peer: Peer,
    /// How long one command may take.
    patience: Duration,
    deadline: Instant,
    messages: i32,
}

/// What a server says of itself.
struct Greeting(RawDocumentBuf);

impl Session {
    /// Logs in at the primary, presenting the password once.
    pub(super) async fn open(
        server: &MongoDbCredential,
        (user, role): (&User, Role),
        settings: &MongoDbSettings,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let deadline = cx.deadline().min(Instant::now() + settings.timeouts.login);
        let mut peer = Peer {
            node: server.node.clone(),
            role,
        };
        let open = Self::greet(&peer, &server.tls, user, settings, deadline);
        let (mut session, mut greeting) = open.await?;
        if !greeting.writes() {
            peer.node = greeting.primary().ok_or_else(|| peer.no_primary())?;
            let tls = elsewhere(&server.tls);
            let open = Self::greet(&peer, &tls, user, settings, deadline);
            (session, greeting) = open.await?;
            if !greeting.writes() {
                return Err(peer.no_primary());
            }
        }
        let Some(mechanism) = greeting.mechanism() else {
            return Err(peer.no_password());
        };
        let accepted = session.log_in(user, mechanism).await?;
        session.deadline = cx.deadline();
        Ok(if accepted {
            Entry::Open(Box::new(session))
        } else {
            Entry::Wrong
        })
    }

    /// Connects, and asks the server what it is; nobody logs in.
    async fn greet(
        peer: &Peer,
        tls: &Tls,
        user: &User,
        settings: &MongoDbSettings,
        deadline: Instant,
    ) -> Result<(Self, Greeting), RotatorError> {
        let address = (peer.node.host.as_str(), peer.node.port);
        let ca = settings.ca_certificate.as_ref();
        let opened = database::connect(address, (tls, ca), peer, deadline).await;
        let stream = opened.map_err(|fault| match fault {
            NoStream::Fault(fault) => fault,
            NoStream::Closed => peer.broken(),
            NoStream::NoHandshake => peer.silent("did not answer to TLS"),
        })?;
        let mut session = Self {
            stream: BufReader::new(stream),
            peer: peer.clone(),
            patience: settings.timeouts.login,
            deadline,
            messages: 0,
        };
        let question = rawdoc! {
            "isMaster": 1,
            "helloOk": true,
            "client": {
                "driver": {"name": "secrets-rotation", "version": env!("CARGO_PKG_VERSION")},
                "os": {"type": std::env::consts::OS},
            },
            "saslSupportedMechs": format!("{}.{}", user.database, user.login.username),
        };
        let request = wire::greeting(session.next(), &question);
        let greeting = session.exchange(&request).await;
        let greeting = greeting.map_err(|failure| failure.of_command(peer))?;
        session.patience = settings.timeouts.statement;
        let greeting = Greeting(greeting);
        if greeting.number(cstr!("maxWireVersion")) < Some(OLDEST_PROTOCOL) {
            return Err(peer.not_understood());
        }
        Ok((session, greeting))
    }

    /// Whether the server takes the credential.
    async fn log_in(&mut self, user: &User, mechanism: Mechanism) -> Result<bool, RotatorError> {
        let peer = self.peer.clone();
        let refused = |failure: Failure| peer.at_login(failure).map(|()| false);
        let login = &user.login;
        let scram = Scram::new(mechanism, &login.username, &login.password)?;
        let start = rawdoc! {
            "saslStart": 1,
            "mechanism": mechanism.name(),
            "payload": binary(scram.message()),
            "options": {"skipEmptyExchange": true},
        };
        let challenge = match self.run(&user.database, start).await {
            Ok(challenge) => challenge,
            Err(failure) => return refused(failure),
        };
        let not_understood = || peer.not_understood();
        let conversation = challenge.get(cstr!("conversationId"));
        let conversation = conversation.ok().flatten().and_then(whole);
        let conversation = conversation.ok_or_else(not_understood)?;
        let answer = |payload: String| {
            rawdoc! {"saslContinue": 1, "conversationId": conversation, "payload": binary(payload)}
        };
        let proof = payload(&challenge).and_then(|challenge| scram.prove(challenge));
        let proof = proof.ok_or_else(not_understood)?;
        let last = match self
            .run(&user.database, answer(proof.message.clone()))
            .await
        {
            Ok(last) => last,
            Err(failure) => return refused(failure),
        };
        if !payload(&last).is_some_and(|last| proof.accepts(last)) {
            return Err(peer.impostor());
        }
        if is_done(&last) {
            return Ok(true);
        }
        // Servers before 4.4 want another message, with nothing in it.
        match self.run(&user.database, answer(String::new())).await {
            Ok(end) if is_done(&end) => Ok(true),
            Ok(_) => Err(not_understood()),
            Err(failure) => refused(failure),
        }
    }

    /// Where this session leads.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// How long the server may take to bring a change to the majority of its replica set: less than it is
    /// waited for, so that it is the one that tells.
    pub(super) fn majority(&self) -> Duration {
        self.patience * 4 / 5
    }

    /// Sends a command to that database and gives the answer.
    pub(super) async fn run(
        &mut self,
        database: &str,
        mut command: RawDocumentBuf,
    ) -> Result<RawDocumentBuf, Failure> {
        command.append(cstr!("$db"), database);
        let request = wire::command(self.next(), &command);
        // It may hold a password.
        drop(Zeroizing::new(command.into_bytes()));
        self.exchange(&request).await
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<RawDocumentBuf, Failure> {
        let (stream, id) = (&mut self.stream, self.messages);
        let exchange = async {
            stream.write_all(request).await?;
            stream.flush().await?;
            wire::read(stream, id).await
        };
        let deadline = self.deadline.min(Instant::now() + self.patience);
        let peer = &self.peer;
        let answer = match timeout_at(deadline, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(fault)) if fault.kind() == io::ErrorKind::InvalidData => {
                return Err(Failure::Broken(peer.not_understood()));
            }
            Ok(Err(_)) => return Err(Failure::Broken(peer.broken())),
            Err(_) => return Err(Failure::Broken(peer.silent("did not answer"))),
        };
        let code = refusal(&answer).map_err(|_| Failure::Broken(peer.not_understood()))?;
        match code {
            None => Ok(answer),
            Some(code) => Err(match peer.not_now(code) {
                Some(fault) => Failure::Broken(fault),
                None => Failure::Refused(code),
            }),
        }
    }

    fn next(&mut self) -> i32 {
        self.messages += 1;
        self.messages
    }
}

/// The code of a refusal, or of a change that is not everywhere; 0 where there is none.
fn refusal(answer: &RawDocument) -> Result<Option<i32>, bson::error::Error> {
    let ok = answer.get("ok")?.is_some_and(is_true);
    let code = |of: &RawDocument| Ok(of.get("code")?.and_then(whole).unwrap_or(0));
    if !ok {
        return code(answer).map(Some);
    }
    match answer.get("writeConcernError")? {
        Some(RawBsonRef::Document(fault)) => code(fault).map(Some),
        _ => Ok(None),
    }
}

/// The TLS settings for a server that another one has named: a name that the secret gives is that of its own
/// host.
fn elsewhere(tls: &Tls) -> Tls {
    match tls {
        Tls::Verified { ca, .. } => Tls::Verified {
            server_name: None,
            ca: ca.clone(),
        },
        Tls::Plaintext => Tls::Plaintext,
    }
}

impl Greeting {
    /// Whether changes can be made here: a primary, a server of its own, or a router.
    fn writes(&self) -> bool {
        let says = |key| self.0.get(key).ok().flatten().is_some_and(is_true);
        says("ismaster") || says("isWritablePrimary")
    }

    fn primary(&self) -> Option<Node> {
        Node::named(self.0.get_str("primary").ok()?)
    }

    fn number(&self, key: &CStr) -> Option<i32> {
        self.0.get(key).ok().flatten().and_then(whole)
    }

    /// How the user logs in with a password; None: not at all. A server that does not tell (an old one, or one
    /// that does not know the user) is asked in the oldest way.
    fn mechanism(&self) -> Option<Mechanism> {
        let Ok(names) = self.0.get_array("saslSupportedMechs") else {
            return Some(Mechanism::Sha1);
        };
        let names = names.into_iter().filter_map(|name| name.ok()?.as_str());
        Mechanism::best(names)
    }
}

fn binary(text: String) -> Binary {
    Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: text.into_bytes(),
    }
}

fn payload(answer: &RawDocument) -> Option<&[u8]> {
    Some(answer.get_binary("payload").ok()?.bytes)
}

fn is_done(answer: &RawDocument) -> bool {
    answer.get_bool("done").unwrap_or(false)
}

/// Servers write numbers in whichever form.
fn whole(value: RawBsonRef<'_>) -> Option<i32> {
    match value {
        RawBsonRef::Int32(number) => Some(number),
        RawBsonRef::Int64(number) => i32::try_from(number).ok(),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole")]
        RawBsonRef::Double(number) => (number.fract() == 0.0).then_some(number as i32),
        _ => None,
    }
}

fn is_true(value: RawBsonRef<'_>) -> bool {
    value.as_bool().unwrap_or_else(|| whole(value) == Some(1))
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.peer)
    }
}
