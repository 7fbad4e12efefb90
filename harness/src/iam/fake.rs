//! A server with the documented manners of IAM and STS.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::{Request, StatusCode};

use super::state::{ROLE, State};
use crate::http::{self, HttpServer, NoAnswer, Reply};
use crate::oauth_provider::Misbehaviour;
use crate::proxy::Fault;
use crate::query::field;

/// IAM and STS on one port; connections end on drop.
///
/// Signatures are checked, a user has two keys at most, an inactive key is unknown, a deleted one too, and
/// `GetCallerIdentity` needs no right. ARNs of users have the path `/team/`.
#[derive(Debug)]
pub struct FakeIam {
    server: HttpServer,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: State,
    calls: Vec<String>,
    faults: BTreeMap<usize, Fault<Misbehaviour>>,
    down: bool,
}

impl FakeIam {
    /// Starts an account with one role and no users.
    pub async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let for_handler = Arc::clone(&shared);
        let handler = move |request| handle(Arc::clone(&for_handler), request);
        Self {
            server: HttpServer::start(handler).await,
            shared,
        }
    }

    /// Where IAM and STS are.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Id and secret of the role, which manages all users.
    pub fn role(&self) -> (&'static str, &'static str) {
        ROLE
    }

    /// From now on new keys are dated by this clock.
    pub fn set_clock(&self, now: impl Fn() -> SystemTime + Send + 'static) {
        self.shared().state.clock = Some(Box::new(now));
    }

    /// A user, and whether it may manage all users.
    pub fn create_user(&self, name: &str, manages: bool) {
        let mut shared = self.shared();
        shared
            .state
            .users
            .entry(name.to_owned())
            .or_default()
            .manages = manages;
    }

    /// Removes a user with its keys.
    pub fn delete_user(&self, name: &str) {
        self.shared().state.users.remove(name);
    }

    /// Id and secret of a new key, which works at once.
    pub fn create_key(&self, user: &str) -> (String, String) {
        let state = &mut self.shared().state;
        let refusals = std::mem::take(&mut state.refusals);
        let key = state.new_key(user);
        state.refusals = refusals;
        (key.id, key.secret)
    }

    /// Deletes a key.
    pub fn delete_key(&self, user: &str, id: &str) {
        let mut shared = self.shared();
        let user = shared.state.users.get_mut(user).expect("a user");
        user.keys.retain(|key| key.id != id);
    }

    /// Makes a key inactive.
    pub fn deactivate(&self, user: &str, id: &str) {
        self.with_key(user, id, |key| key.active = false);
    }

    /// Lets a key be that much older.
    pub fn age(&self, user: &str, id: &str, by: Duration) {
        self.with_key(user, id, |key| key.created -= by);
    }

    /// The ids of a user's keys, the oldest first.
    pub fn keys(&self, user: &str) -> Vec<String> {
        let shared = self.shared();
        let keys = shared.state.users.get(user).map(|user| &user.keys);
        keys.into_iter()
            .flatten()
            .map(|key| key.id.clone())
            .collect()
    }

    /// Whether a request that is signed with this key is served, once the key is known everywhere.
    pub fn serves(&self, id: &str, secret: &str) -> bool {
        let shared = self.shared();
        let mut keys = shared.state.users.values().flat_map(|user| &user.keys);
        keys.any(|key| key.id == id && key.secret == secret && key.active)
    }

    /// How many requests were refused for their key.
    pub fn refused(&self) -> usize {
        self.shared().state.refused
    }

    /// The secrets of all keys that there ever were: what must be found nowhere.
    pub fn secrets(&self) -> Vec<String> {
        self.shared().state.secrets.clone()
    }

    /// A key that is made from now on is refused that many times before it is known.
    pub fn refuse_new_keys(&self, times: usize) {
        self.shared().state.refusals = times;
    }

    /// From now on nobody may do `action`, such as `CreateAccessKey`.
    pub fn deny(&self, action: &str) {
        self.shared().state.denied.insert(action.to_owned());
    }

    /// Closes every connection without an answer, or answers again.
    pub fn set_down(&self, down: bool) {
        self.shared().down = down;
    }

    /// A fault for exactly that request, counted from 1 since the start or the last reset.
    pub fn fault_at(&self, call: usize, fault: Fault<Misbehaviour>) {
        self.shared().faults.insert(call, fault);
    }

    /// No more faults, no requests recorded, and the next one is the first.
    pub fn reset(&self) {
        let mut shared = self.shared();
        shared.faults.clear();
        shared.calls.clear();
    }

    /// The actions that were asked for since the start or the last reset.
    pub fn calls(&self) -> Vec<String> {
        self.shared().calls.clone()
    }

    fn with_key(&self, user: &str, id: &str, change: impl FnOnce(&mut super::state::Key)) {
        let mut shared = self.shared();
        let user = shared.state.users.get_mut(user).expect("a user");
        let key = user.keys.iter_mut().find(|key| key.id == id);
        change(key.expect("a key"));
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle(shared: Arc<Mutex<Shared>>, request: Request<Bytes>) -> Reply {
    let form = String::from_utf8_lossy(request.body()).into_owned();
    let action = field(&form, "Action").unwrap_or_default();
    let (answer, misbehaviour) = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.down {
            return Err(NoAnswer);
        }
        shared.calls.push(action.clone());
        let number = shared.calls.len();
        match shared.faults.get(&number).cloned() {
            None => (Some(shared.state.perform(&action, &request)), None),
            Some(Fault::Before(misbehaviour)) => (None, Some(misbehaviour)),
            Some(Fault::After(misbehaviour)) => (
                Some(shared.state.perform(&action, &request)),
                Some(misbehaviour),
            ),
        }
    };
    match misbehaviour {
        None => answer.ok_or(NoAnswer),
        Some(Misbehaviour::Drop) => Err(NoAnswer),
        Some(Misbehaviour::Hang) => std::future::pending().await,
        Some(Misbehaviour::Answer { status, body, .. }) => {
            let status = StatusCode::from_u16(status).expect("a valid HTTP status");
            Ok(http::answer(status, "text/xml", body))
        }
    }
}
