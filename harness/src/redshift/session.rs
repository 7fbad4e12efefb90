//! A session: statements one at a time, and transactions.

use super::lexer::{Token, statements};
use super::protocol;
use super::question;
use super::state::{Refusal, State};
use super::statement;

/// What a session knows of itself.
pub(super) struct Session {
    pub(super) user: String,
    transaction: Option<Transaction>,
    keeps_case: bool,
}

struct Transaction {
    state: State,
    /// Of the state from which it went out.
    version: u64,
    aborted: bool,
}

impl Session {
    pub(super) fn new(user: String) -> Self {
        Self {
            user,
            transaction: None,
            keeps_case: false,
        }
    }

    /// The letter that says whether there is a transaction.
    pub(super) fn status(&self) -> u8 {
        match &self.transaction {
            None => b'I',
            Some(Transaction { aborted: false, .. }) => b'T',
            Some(_) => b'E',
        }
    }

    /// A statement of the transaction was refused.
    pub(super) fn abort(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.aborted = true;
        }
    }

    /// Runs a statement on what all sessions share.
    pub(super) fn run(&mut self, text: &str, shared: &mut State) -> Result<Vec<u8>, Refusal> {
        let done = self.try_run(text, shared);
        if done.is_err() {
            self.abort();
        }
        done
    }

    fn try_run(&mut self, text: &str, shared: &mut State) -> Result<Vec<u8>, Refusal> {
        let mut all = statements(text)?;
        let (Some(tokens), true) = (all.pop(), all.is_empty()) else {
            return Err(Refusal::UNKNOWN);
        };
        let words: Vec<_> = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Word(word) => Some(word.as_str()),
                _ => None,
            })
            .collect();
        match words[..] {
            ["begin"] => {
                self.transaction = Some(Transaction {
                    state: shared.clone(),
                    version: shared.version,
                    aborted: false,
                });
                return Ok(protocol::complete("BEGIN"));
            }
            ["rollback"] => {
                self.transaction = None;
                return Ok(protocol::complete("ROLLBACK"));
            }
            ["commit"] => return self.commit(shared),
            _ => {}
        }
        if self.transaction.as_ref().is_some_and(|it| it.aborted) {
            return Err(Refusal::ABORTED);
        }
        match words[..] {
            ["set", "search_path", "to", "pg_catalog"] => return Ok(protocol::complete("SET")),
            ["set", "enable_case_sensitive_identifier", "to", is] => {
                self.keeps_case = is == "true";
                return Ok(protocol::complete("SET"));
            }
            ["set", "statement_timeout", "to", time] if time.parse::<u32>().is_ok() => {
                return Ok(protocol::complete("SET"));
            }
            _ => {}
        }
        let state = match &mut self.transaction {
            Some(transaction) => &mut transaction.state,
            None => shared,
        };
        if words.first() == Some(&"select") {
            let rows = question::answer(&tokens, state, &self.user, self.keeps_case)?;
            return Ok(protocol::rows(&rows));
        }
        // What is refused halfway leaves nothing behind.
        let mut changed = state.clone();
        let tag = statement::change(&tokens, &mut changed, &self.user, self.keeps_case)?;
        *state = changed;
        Ok(protocol::complete(tag))
    }

    fn commit(&mut self, shared: &mut State) -> Result<Vec<u8>, Refusal> {
        let Some(transaction) = self.transaction.take() else {
            return Ok(protocol::complete("COMMIT"));
        };
        if transaction.aborted {
            return Ok(protocol::complete("ROLLBACK"));
        }
        if transaction.state.version != transaction.version {
            if shared.version != transaction.version {
                return Err(Refusal::CONFLICT);
            }
            *shared = transaction.state;
        }
        Ok(protocol::complete("COMMIT"))
    }
}
