//! Rotations that follow each other without a pause, and logins at every moment of them: the target accepts one version
//! at a time, and labels move after it. All orders of the rotations' steps and one application's messages are tried, and
//! many of several applications at once.

mod chance;
mod world;

use std::time::Duration;

use secrets_core::client::{ClientError, ConnectError};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use chance::{Chance, Choices, Random};
use world::{Rules, Way, World};

use crate::stub::{ID, Login};

/// A version may be tried too early, and once more when its time is over; each by all who set out at the same time. Where
/// the secret is wrong, as what is pending and as what is current.
const MOST_REFUSALS: usize = 2;

/// For each rotation that overtakes a login: the version that was current, and the one that was pending.
const ATTEMPTS: usize = 2;

/// For each of them one `refresh_interval`, and one of those that what is pending has.
const WAIT: Duration = Duration::from_millis(1100);

const RULES: Rules = Rules {
    rotations: 2,
    way: Way::Call,
    logins: usize::MAX,
    pending_stays: false,
    by_hand: false,
};

#[test]
fn no_login_fails_in_any_order_of_its_messages_and_the_steps_of_two_rotations() {
    for way in [Way::Call, Way::Parts] {
        for pending_stays in [false, true] {
            let rules = Rules {
                way,
                pending_stays,
                ..RULES
            };
            let runs = in_all_orders(rules, &[Duration::ZERO, WAIT], never_refused);
            assert!(runs > 1000, "{runs}");
        }
    }
}

#[test]
fn no_login_fails_in_any_order_of_its_messages_and_the_steps_of_three_rotations() {
    let rules = Rules {
        rotations: 3,
        logins: 1,
        ..RULES
    };
    let runs = in_all_orders(rules, &[Duration::ZERO], never_refused);
    assert!(runs > 1000, "{runs}");
}

#[test]
fn where_the_secret_is_wrong_a_login_ends_soon_however_labels_move() {
    for way in [Way::Call, Way::Parts] {
        let rules = Rules {
            way,
            by_hand: true,
            logins: 3,
            ..RULES
        };
        in_all_orders(rules, &[Duration::ZERO], |connection, world| {
            let refused = match connection {
                Err(ConnectError::Secret(why) | ConnectError::Refused { why, .. }) => why,
                Ok(()) | Err(ConnectError::Target(())) => panic!("{}", world.told()),
            };
            let refused = matches!(refused, ClientError::Refused { .. });
            assert!(refused, "{}", world.told());
        });
    }
}

#[test]
fn no_login_of_several_applications_fails_however_long_messages_and_steps_take() {
    const APPLICATIONS: usize = 4;
    for seed in 0..1000 {
        let rules = Rules {
            rotations: [3, 4, 6][seed % 3],
            way: [Way::Call, Way::Parts][seed % 2],
            pending_stays: seed % 4 < 2,
            ..RULES
        };
        let seed = u64::try_from(seed).expect("few");
        let world = World::new(rules, Chance::Random(Random(seed)));
        runtime().block_on(LocalSet::new().run_until(several(&world, APPLICATIONS)));
        let most = MOST_REFUSALS * APPLICATIONS;
        assert!(world.most_refusals() <= most, "{seed}: {}", world.told());
    }
}

/// One application logs in again and again until the rotations are over, and then once more. At each of its messages
/// the rotations go on by each number of steps that is left, and by one or none between two logins, with or without a
/// time in which nobody logs in; after so many logins by all of them. Gives the number of orders.
fn in_all_orders(
    rules: Rules,
    idle: &[Duration],
    check: impl Fn(&Result<(), ConnectError<()>>, &World),
) -> usize {
    let (mut runs, mut choices) = (0, Some(Choices::default()));
    while let Some(run) = choices {
        let world = World::new(rules, Chance::All(run));
        runtime().block_on(one(&world, idle, &check));
        let (attempts, time) = world.most_of_a_call();
        let overtaking = rules.rotations + usize::from(rules.by_hand);
        assert!(attempts <= ATTEMPTS * overtaking, "{}", world.told());
        let overtaking = u32::try_from(overtaking).expect("few");
        assert!(time <= WAIT * overtaking, "{}", world.told());
        let times = if rules.by_hand {
            presented(world.time())
        } else {
            1
        };
        let most = MOST_REFUSALS * times;
        assert!(world.most_refusals() <= most, "{}", world.told());
        let afterwards = world.most_refusals_afterwards();
        assert!(afterwards <= 1, "{}", world.told());
        choices = match &world.state().chance {
            Chance::All(run) => run.clone().next(),
            Chance::Random(_) => None,
        };
        runs += 1;
    }
    runs
}

/// How often a version is presented in that time by logins one after the other: after rests of 1, 2, 4 seconds and so on.
fn presented(mut time: Duration) -> usize {
    let (mut rest, mut times) = (Duration::from_secs(1), 1);
    while time >= rest {
        (time, rest, times) = (time.saturating_sub(rest), rest * 2, times + 1);
    }
    times
}

async fn one(
    world: &World,
    idle: &[Duration],
    check: &impl Fn(&Result<(), ConnectError<()>>, &World),
) {
    let client = world.client();
    let db = client.secret::<Login>(ID).await.expect("a login");
    // Before the first setSecret nothing changes for it, but for when it may ask the store again.
    if choose(world, 2) == 1 {
        db.refresh().await.expect("a login");
    }
    world.go_on(2).await;
    world.begin();
    for logins in 1.. {
        let over = world.left() == 0;
        check(&world.connect(&db).await, world);
        if over {
            return;
        }
        // More steps here are no other order: they go on at the first message of the next login.
        let all = logins >= world.rules.logins;
        let steps = if all { usize::MAX } else { 1 };
        world.go_on(steps.min(world.left())).await;
        sleep(idle[choose(world, idle.len())]).await;
    }
}

fn choose(world: &World, of: usize) -> usize {
    world.state().chance.choose(of)
}

fn never_refused(connection: &Result<(), ConnectError<()>>, world: &World) {
    assert!(connection.is_ok(), "{connection:?}, {}", world.told());
}

/// Several log in while rotations happen, each until these are over, and then once more.
async fn several(world: &World, applications: usize) {
    let client = world.client();
    let mut running = JoinSet::new();
    for _ in 0..applications {
        let (world, client) = (world.clone(), client.clone());
        running.spawn_local(async move {
            let db = client.secret::<Login>(ID).await.expect("a login");
            loop {
                let over = world.left() == 0;
                never_refused(&world.connect(&db).await, &world);
                if over {
                    return;
                }
                world.message().await;
            }
        });
    }
    while world.left() > 0 {
        world.message().await;
        world.go_on(1).await;
    }
    running.join_all().await;
}

fn runtime() -> Runtime {
    let builder = &mut Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a runtime")
}
