//! One connection: who is logged in, and what goes wrong.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::rights::Name;
use super::scram::{self, Challenge};
use super::state::Refusal;
use super::wire::{self, Message};
use super::{Dialect, Place, Shared, Trouble};
use crate::proxy::Fault;

const FAILED: Refusal = Refusal(18, "Authentication failed.");

/// A login under way.
enum Conversation {
    Challenged(Name, Challenge),
    /// The password was right; servers of long ago want another message.
    Accepted(Name),
}

/// Who is logged in, and who is about to be.
#[derive(Default)]
struct Client {
    user: Option<Name>,
    conversation: Option<Conversation>,
    skips_empty: bool,
}

/// Counts connections that are open.
pub(super) struct Open<'s>(&'s Shared);

impl<'s> Open<'s> {
    pub(super) fn count(shared: &'s Shared) -> Self {
        shared.open.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let mut client = Client::default();
    loop {
        let message = wire::read(&mut stream).await?;
        let fault = {
            let mut book = shared.book();
            book.commands.push(message.command.clone());
            let number = book.commands.len();
            book.faults.get(&number).cloned()
        };
        let (answer, trouble) = match fault {
            None => (client.perform(&message, &shared), None),
            Some(Fault::Before(trouble)) => (doc! {}, Some(trouble)),
            Some(Fault::After(trouble)) => (client.perform(&message, &shared), Some(trouble)),
        };
        let bytes = match trouble {
            None => message.answer(&answer),
            Some(Trouble::Drop) => return Ok(()),
            Some(Trouble::Hang) => std::future::pending().await,
            Some(Trouble::Refuse(code)) => message.answer(&refusal(Refusal(code, "told to"))),
            Some(Trouble::Answer(answer)) => message.answer(&answer),
            Some(Trouble::Bytes(bytes)) => bytes,
        };
        stream.write_all(&bytes).await?;
        stream.flush().await?;
    }
}

fn refusal(Refusal(code, words): Refusal) -> Document {
    doc! {"ok": 0.0, "errmsg": words, "code": code, "codeName": "Fake"}
}

impl Client {
    fn perform(&mut self, message: &Message, shared: &Shared) -> Document {
        let command = &message.command;
        let name = command.keys().next().map_or("", String::as_str);
        let done = match name {
            "isMaster" | "ismaster" | "hello" => Ok(greeting(command, shared)),
            // Servers since 6.0 take nothing else in the old form.
            _ if message.old => Err(Refusal(352, "unsupported OP_QUERY command")),
            "saslStart" => self.start(command, shared),
            "saslContinue" => self.go_on(command, shared),
            _ => self.run(name, command, shared),
        };
        let mut answer = match done {
            Ok(answer) => answer,
            Err(refused) => return refusal(refused),
        };
        answer.insert("ok", 1.0);
        answer
    }

    fn run(&self, name: &str, command: &Document, shared: &Shared) -> Result<Document, Refusal> {
        let mut book = shared.book();
        if matches!(book.place, Place::Secondary(_)) && name != "ping" {
            return Err(if matches!(name, "createUser" | "updateUser") {
                Refusal(10107, "not primary")
            } else {
                Refusal(13435, "not primary and secondaryOk=false")
            });
        }
        let answer = book.state.run(command, self.user.as_ref())?;
        Ok(answer)
    }

    fn start(&mut self, command: &Document, shared: &Shared) -> Result<Document, Refusal> {
        let mut book = shared.book();
        let text = payload(command)?;
        let (user, first) = scram::opened(&text).ok_or(Refusal(9, "no SCRAM"))?;
        let database = command.get_str("$db").unwrap_or_default().to_owned();
        let options = command.get_document("options");
        let skips = options.and_then(|options| options.get_bool("skipEmptyExchange"));
        self.skips_empty = skips.unwrap_or(false) && book.state.dialect == Dialect::MongoDb;
        let key = (database, user);
        let mechanism = command.get_str("mechanism").unwrap_or_default();
        let credentials = book.state.users.get(&key).map(|user| &user.credentials);
        let credential = credentials.and_then(|all| all.get(mechanism)).cloned();
        let challenge = credential.and_then(|credential| credential.challenge(first));
        let Some(challenge) = challenge else {
            book.refused += 1;
            return Err(FAILED);
        };
        let answer = turn(challenge.message.clone(), false);
        self.conversation = Some(Conversation::Challenged(key, challenge));
        Ok(answer)
    }

    fn go_on(&mut self, command: &Document, shared: &Shared) -> Result<Document, Refusal> {
        let text = payload(command)?;
        match self.conversation.take() {
            Some(Conversation::Challenged(user, challenge)) => {
                let Some(last) = challenge.check(&text) else {
                    shared.book().refused += 1;
                    return Err(FAILED);
                };
                let last = if shared.book().impostor {
                    format!("v={}", "A".repeat(28))
                } else {
                    last
                };
                if self.skips_empty {
                    self.accept(user, shared);
                } else {
                    self.conversation = Some(Conversation::Accepted(user));
                }
                Ok(turn(last, self.skips_empty))
            }
            Some(Conversation::Accepted(user)) if text.is_empty() => {
                self.accept(user, shared);
                Ok(turn(String::new(), true))
            }
            _ => Err(Refusal(17, "no SASL session")),
        }
    }

    fn accept(&mut self, user: Name, shared: &Shared) {
        shared.book().logins += 1;
        self.user = Some(user);
    }
}

fn payload(command: &Document) -> Result<String, Refusal> {
    let Ok(bytes) = command.get_binary_generic("payload") else {
        return Err(Refusal(9, "no payload"));
    };
    String::from_utf8(bytes.clone()).map_err(|_| Refusal(9, "no text"))
}

fn turn(text: String, done: bool) -> Document {
    let payload = Binary {
        subtype: BinarySubtype::Generic,
        bytes: text.into_bytes(),
    };
    doc! {"conversationId": 1, "done": done, "payload": Bson::Binary(payload)}
}

fn greeting(command: &Document, shared: &Shared) -> Document {
    let book = shared.book();
    let writes = matches!(book.place, Place::Primary);
    let mut greeting = doc! {
        "ismaster": writes, "helloOk": true, "maxBsonObjectSize": 16_777_216,
        "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000,
        "minWireVersion": 0, "maxWireVersion": book.wire_version,
    };
    if let Place::Secondary(primary) = &book.place {
        greeting.insert("setName", "rs0");
        greeting.insert("secondary", true);
        if let Some(primary) = primary {
            greeting.insert("primary", primary);
        }
    }
    let asked = command.get_str("saslSupportedMechs").ok();
    if let Some((database, user)) = asked.and_then(|name| name.split_once('.'))
        && book.state.dialect == Dialect::MongoDb
        && let Some(user) = book
            .state
            .users
            .get(&(database.to_owned(), user.to_owned()))
    {
        let names: Vec<_> = user.credentials.keys().copied().collect();
        greeting.insert("saslSupportedMechs", names);
    }
    greeting
}
