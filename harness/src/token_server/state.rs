//! What a provider remembers, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::client::{Proof, TokenRequest, client};
use super::jwt::{Desk, VerifyingKey, claims};
use super::{Chain, Mint, Rules};
use crate::http::{self, Answer};
use crate::misbehaviour::Misbehaviour;
use crate::proxy::Fault;
use crate::random;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) rules: Rules,
    pub(super) base: String,
    pub(super) clients: BTreeMap<String, Proof>,
    /// By issuer: whose assertions are taken as a grant.
    pub(super) issuers: BTreeMap<String, VerifyingKey>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) chains: Vec<ChainState>,
    pub(super) seen: BTreeSet<String>,
    pub(super) requests: Vec<TokenRequest>,
    pub(super) faults: BTreeMap<usize, Fault<Misbehaviour>>,
    pub(super) down: bool,
    pub(super) refused: usize,
    pub(super) minted: usize,
}

#[derive(Debug)]
pub(super) struct Token {
    client: String,
    pub(super) alive: bool,
    /// It was used, so somebody has it.
    pub(super) presented: bool,
    /// How many requests with it are refused yet.
    pub(super) propagates: usize,
    chain: Option<usize>,
}

/// One authorisation, and the refresh tokens that came of it.
#[derive(Debug)]
pub(super) struct ChainState {
    client: String,
    pub(super) alive: bool,
    pub(super) valid: Vec<String>,
    /// Tokens that were used: how often since, and what came of them first.
    used: BTreeMap<String, (usize, Value)>,
    pub(super) exchanges: usize,
}

impl State {
    pub(super) fn perform(&mut self, request: &TokenRequest) -> Answer {
        match request.endpoint.as_str() {
            "resource" => self.serve(request),
            "token" | "revoke" | "introspect" => {
                let audience = self.audience();
                let mut desk = Desk {
                    audience: &audience,
                    clock_offset: self.rules.clock_offset,
                    seen: &mut self.seen,
                };
                let Some(client) = client(&self.clients, request, &mut desk) else {
                    return error(401, "invalid_client");
                };
                match request.endpoint.as_str() {
                    "token" => self.grant(&client, request),
                    "revoke" => self.revoke(&client, request.parameter("token")),
                    _ => self.introspect(request.parameter("token")),
                }
            }
            _ => error(404, "invalid_request"),
        }
    }

    fn audience(&self) -> String {
        let own = self.rules.audience.clone();
        own.unwrap_or_else(|| format!("{}/token", self.base))
    }

    fn grant(&mut self, client: &str, request: &TokenRequest) -> Answer {
        match request.parameter("grant_type") {
            "client_credentials" => self.answer_token(client),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                let audience = self.audience();
                let mut desk = Desk {
                    audience: &audience,
                    clock_offset: self.rules.clock_offset,
                    seen: &mut self.seen,
                };
                let assertion = request.parameter("assertion");
                let trusted = self.issuers.iter().any(|(issuer, key)| {
                    let claims = claims(assertion, key, &mut desk);
                    claims.is_some_and(|claims| claims["iss"] == **issuer)
                });
                if trusted {
                    self.answer_token(client)
                } else {
                    error(400, "invalid_grant")
                }
            }
            "refresh_token" => self.exchange(client, request.parameter("refresh_token")),
            _ => error(400, "unsupported_grant_type"),
        }
    }

    fn answer_token(&mut self, client: &str) -> Answer {
        let kept = self
            .tokens
            .iter()
            .find(|(_, token)| token.alive && token.client == client)
            .map(|(text, _)| text.clone());
        let token = match (self.rules.mint, kept) {
            (Mint::Singleton, Some(kept)) => kept,
            _ => self.mint(client, None),
        };
        answer(200, &self.reply(&token))
    }

    fn reply(&self, token: &str) -> Value {
        let mut reply = json!({"access_token": token, "token_type": "Bearer"});
        if let Some(seconds) = self.rules.expires_in {
            reply["expires_in"] = seconds.into();
        }
        reply
    }

    pub(super) fn mint(&mut self, client: &str, chain: Option<usize>) -> String {
        let text = self.text("access");
        let token = Token {
            client: client.to_owned(),
            alive: true,
            presented: false,
            propagates: self.rules.propagation,
            chain,
        };
        self.tokens.insert(text.clone(), token);
        text
    }

    fn text(&mut self, kind: &str) -> String {
        self.minted += 1;
        let (number, one, two) = (self.minted, random::number(), random::number());
        format!("{kind}-{number}-sentinel{one:016x}.{two:016x}~+/=")
    }

    pub(super) fn authorise(&mut self, client: &str) -> String {
        let first = self.text("refresh");
        self.chains.push(ChainState {
            client: client.to_owned(),
            alive: true,
            valid: vec![first.clone()],
            used: BTreeMap::new(),
            exchanges: 0,
        });
        first
    }

    fn exchange(&mut self, client: &str, presented: &str) -> Answer {
        let knows = |chain: &ChainState| {
            chain.valid.iter().any(|valid| valid == presented) || chain.used.contains_key(presented)
        };
        let found = self.chains.iter().position(knows);
        let Some(number) = found.filter(|number| self.chains[*number].client == client) else {
            return error(400, "invalid_grant");
        };
        if !self.chains[number].alive {
            return error(400, "invalid_grant");
        }
        let (uses, first) = match self.chains[number].used.get(presented) {
            Some((uses, first)) => (*uses, Some(first.clone())),
            None => (0, None),
        };
        match (self.rules.chain, first) {
            (_, None) => {}
            (Chain::SameValue, Some(first)) => return answer(200, &first),
            (Chain::Grace(replays), Some(_)) if uses <= replays => {}
            _ => {
                self.revoke_chain(number);
                return error(400, "invalid_grant");
            }
        }
        if self.rules.one_access_token {
            self.kill_tokens_of(number);
        }
        let token = self.mint(client, Some(number));
        let mut reply = self.reply(&token);
        if self.rules.chain == Chain::Fixed {
            self.chains[number].exchanges += 1;
            return answer(200, &reply);
        }
        let next = self.text("refresh");
        reply["refresh_token"] = next.clone().into();
        let chain = &mut self.chains[number];
        chain.exchanges += 1;
        chain.valid.retain(|valid| valid != presented);
        chain.valid.push(next);
        let replays = chain.used.entry(presented.to_owned());
        replays.or_insert((0, reply.clone())).0 += 1;
        answer(200, &reply)
    }

    pub(super) fn revoke_chain(&mut self, number: usize) {
        self.chains[number].alive = false;
        self.chains[number].valid.clear();
        self.kill_tokens_of(number);
    }

    fn kill_tokens_of(&mut self, number: usize) {
        for token in self.tokens.values_mut() {
            token.alive = token.alive && token.chain != Some(number);
        }
    }

    /// RFC 7009, section 2.2: a token that is not known is no error.
    fn revoke(&mut self, client: &str, text: &str) -> Answer {
        if let Some(token) = self.tokens.get_mut(text)
            && token.client == client
        {
            token.alive = false;
        }
        http::answer(StatusCode::OK, "application/json", "")
    }

    fn introspect(&mut self, text: &str) -> Answer {
        let active = self.present(text);
        answer(200, &json!({"active": active, "client_id": "somebody"}))
    }

    fn serve(&mut self, request: &TokenRequest) -> Answer {
        let text = request.authorization.strip_prefix("Bearer ");
        if text.is_some_and(|text| self.present(text)) {
            return answer(200, &json!({"data": {"user": "robot"}}));
        }
        self.refused += 1;
        error(401, "invalid_token")
    }

    /// Whether the token works now; each look brings it closer to that.
    fn present(&mut self, text: &str) -> bool {
        let Some(token) = self.tokens.get_mut(text).filter(|token| token.alive) else {
            return false;
        };
        token.presented = true;
        let works = token.propagates == 0;
        token.propagates = token.propagates.saturating_sub(1);
        works
    }
}

fn error(status: u16, word: &str) -> Answer {
    let words = "sentinel: this is quoted from the request";
    answer(status, &json!({"error": word, "error_description": words}))
}

fn answer(status: u16, body: &Value) -> Answer {
    let status = StatusCode::from_u16(status).expect("a valid HTTP status");
    http::answer(status, "application/json", body.to_string())
}
