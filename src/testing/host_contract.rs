//! The contract of [`Host`] as a suite: one function, so that no implementation can choose among its clauses.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, join, select};

use crate::event::Position;
use crate::host::Host;

use super::contract::{Broken, BrokenContract, Clause, ensure, ensure_equal};

/// How long the suite waits for what must happen soon.
const SOON_MS: u64 = 5_000;
/// How long the suite waits to see that something does not happen.
const A_WHILE_MS: u64 = 100;

/// Runs every clause.
///
/// `open` makes a new host of a name, as another tab has one: hosts of one name hear each other. Names that
/// were not used before in this run have no other listeners, and lock names are made from them.
///
/// Announcements may be lost by contract; the suite repeats its own, and fails where none ever arrives.
///
/// Errors: every clause that is broken, by name.
pub async fn host_contract<H, O>(open: O) -> Result<(), BrokenContract>
where
    H: Host,
    O: AsyncFn(&str) -> H,
{
    let mut broken = BrokenContract::default();
    macro_rules! run {
        ($($clause:ident),+ $(,)?) => {$(
            broken.record(stringify!($clause), $clause(&open, stringify!($clause)).await);
        )+};
    }
    run! {
        sleep_lasts_as_long_as_asked_for,
        shorter_sleeps_end_first,
        to_yield_lets_others_run,
        random_bytes_differ,
        a_lock_excludes_until_it_is_dropped,
        a_lock_that_stays_taken_times_out,
        a_waiter_that_timed_out_leaves_the_lock_to_others,
        locks_of_other_names_are_free,
        announcements_reach_the_other_host,
        announcements_do_not_come_back,
        announcements_do_not_reach_other_names,
        heard_ends_when_the_host_is_closed,
        spawned_tasks_run,
    }
    broken.into_result()
}

async fn sleep_lasts_as_long_as_asked_for<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let host = open(name).await;
    let before = host.now();
    host.sleep(50).await;
    let elapsed_ms = host.now().0 - before.0;
    // A clock of whole milliseconds may cut one off at either end.
    ensure(48 <= elapsed_ms, &format!("a sleep of 50 ms lasts as long, and not {elapsed_ms} ms"))?;
    within(&host, host.sleep(0)).await
}

async fn shorter_sleeps_end_first<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let host = open(name).await;
    let order = RefCell::new(Vec::new());
    let nap = async |duration_ms| {
        host.sleep(duration_ms).await;
        order.borrow_mut().push(duration_ms);
    };
    join(nap(150), nap(10)).await;
    ensure_equal(order.into_inner(), vec![10, 150], "the order of waking")
}

async fn to_yield_lets_others_run<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let host = open(name).await;
    let has_run = Rc::new(Cell::new(false));
    let flag = Rc::clone(&has_run);
    host.spawn(async move { flag.set(true) });
    let until_it_ran = async {
        while !has_run.get() {
            host.yield_now().await;
        }
    };
    within(&host, until_it_ran).await
}

async fn random_bytes_differ<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let (host, other) = (open(name).await, open(name).await);
    let mut drawn = [[0; 16]; 4];
    let [first, second, third, fourth] = &mut drawn;
    host.random(first);
    host.random(second);
    other.random(third);
    other.random(fourth);
    ensure(!drawn.contains(&[0; 16]), "random bytes are filled in")?;
    for (index, bytes) in drawn.iter().enumerate() {
        ensure(!drawn[..index].contains(bytes), "no two draws are the same")?;
    }
    host.random(&mut []);
    Ok(())
}

async fn a_lock_excludes_until_it_is_dropped<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let (host, other) = (open(name).await, open(name).await);
    let lock_name = format!("{name}-lock");
    let is_held = Cell::new(true);
    let lock = taken(host.lock(&lock_name, SOON_MS).await)?;
    let holder = async {
        host.sleep(A_WHILE_MS).await;
        is_held.set(false);
        drop(lock);
    };
    let waiter = async {
        let lock = other.lock(&lock_name, SOON_MS).await;
        (lock, is_held.get())
    };
    let ((), (next, was_held)) = join(holder, waiter).await;
    taken(next)?;
    ensure(!was_held, "the second holder waited for the first")
}

async fn a_lock_that_stays_taken_times_out<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let (host, other) = (open(name).await, open(name).await);
    let lock_name = format!("{name}-lock");
    let lock = taken(host.lock(&lock_name, SOON_MS).await)?;
    let before = other.now();
    ensure(other.lock(&lock_name, A_WHILE_MS).await.is_none(), "a taken lock is not given")?;
    let waited_ms = other.now().0 - before.0;
    ensure(A_WHILE_MS as i64 - 2 <= waited_ms, "it waited as long as it was told to")?;
    ensure(host.lock(&lock_name, 0).await.is_none(), "the holder's own tab does not get it twice")?;
    drop(lock);
    taken(other.lock(&lock_name, SOON_MS).await).map(drop)
}

async fn a_waiter_that_timed_out_leaves_the_lock_to_others<H: Host>(
    open: &impl AsyncFn(&str) -> H,
    name: &str,
) -> Clause {
    let (host, other) = (open(name).await, open(name).await);
    let lock_name = format!("{name}-lock");
    let lock = taken(host.lock(&lock_name, SOON_MS).await)?;
    ensure(other.lock(&lock_name, 10).await.is_none(), "a taken lock is not given")?;
    drop(lock);
    host.sleep(A_WHILE_MS).await;
    taken(host.lock(&lock_name, SOON_MS).await).map(drop)
}

async fn locks_of_other_names_are_free<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let host = open(name).await;
    let one = taken(host.lock(&format!("{name}-one"), SOON_MS).await)?;
    let other = taken(host.lock(&format!("{name}-other"), SOON_MS).await)?;
    drop((one, other));
    Ok(())
}

async fn announcements_reach_the_other_host<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let (host, other) = (open(name).await, open(name).await);
    let large = Position(crate::limits::INTEGER_MAX);
    for position in [Position(1), Position(70_000), large] {
        let heard = async {
            loop {
                match other.heard().await {
                    Some(heard) if heard == position => return Ok(()),
                    // An earlier announcement that was repeated.
                    Some(Position(1 | 70_000)) => {}
                    heard => return Err(Broken::new(format!("heard {heard:?}, not {position}"))),
                }
            }
        };
        repeat_until(&host, || host.announce(position), heard).await?;
    }
    Ok(())
}

async fn announcements_do_not_come_back<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let (host, _other) = (open(name).await, open(name).await);
    host.announce(Position(1));
    ensure_silent(&host).await
}

async fn announcements_do_not_reach_other_names<H: Host>(
    open: &impl AsyncFn(&str) -> H,
    name: &str,
) -> Clause {
    let (host, stranger) = (open(name).await, open(&format!("{name}-stranger")).await);
    host.announce(Position(1));
    ensure_silent(&stranger).await
}

async fn heard_ends_when_the_host_is_closed<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let (host, other) = (open(name).await, open(name).await);
    let close = async {
        host.sleep(A_WHILE_MS).await;
        host.close();
    };
    let both = async { join(host.heard(), close).await.0 };
    ensure_equal(in_time(&other, both).await?, None, "what a listener heard at the close")?;
    host.close();
    ensure_equal(in_time(&other, host.heard()).await?, None, "what is heard after the close")?;
    // The closed host is gone to those who announce, and they do not mind.
    other.announce(Position(1));
    Ok(())
}

async fn spawned_tasks_run<H: Host>(open: &impl AsyncFn(&str) -> H, name: &str) -> Clause {
    let host = open(name).await;
    let (sender, receiver) = oneshot::channel();
    let spawner = host.clone();
    host.spawn(async move {
        let sleeper = spawner.clone();
        spawner.spawn(async move {
            sleeper.sleep(1).await;
            let unsent = sender.send(42);
            assert!(unsent.is_ok(), "the suite waits for it");
        });
    });
    ensure_equal(in_time(&host, receiver).await?, Ok(42), "what a task spawned by a task sent")
}

#[track_caller]
fn taken<L>(lock: Option<L>) -> Result<L, Broken> {
    match lock {
        Some(lock) => Ok(lock),
        None => Err(Broken::new("a free lock was not given")),
    }
}

async fn ensure_silent<H: Host>(host: &H) -> Clause {
    match select(pin!(host.heard()), pin!(host.sleep(A_WHILE_MS))).await {
        Either::Left((heard, _)) => Err(Broken::new(format!("heard {heard:?}"))),
        Either::Right(_) => Ok(()),
    }
}

/// Announcements may be lost: makes one again and again until it is heard.
async fn repeat_until<H: Host>(
    host: &H,
    mut announce: impl FnMut(),
    heard: impl Future<Output = Clause>,
) -> Clause {
    let mut heard = pin!(heard);
    for _ in 0..SOON_MS / A_WHILE_MS {
        announce();
        if let Either::Left((clause, _)) = select(heard.as_mut(), pin!(host.sleep(A_WHILE_MS))).await {
            return clause;
        }
    }
    Err(Broken::new("it was never heard"))
}

async fn within<H: Host>(host: &H, future: impl Future<Output = ()>) -> Clause {
    in_time(host, future).await
}

async fn in_time<H: Host, T>(host: &H, future: impl Future<Output = T>) -> Result<T, Broken> {
    match select(pin!(future), pin!(host.sleep(SOON_MS))).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(Broken::new(format!("it did not happen within {SOON_MS} ms"))),
    }
}
