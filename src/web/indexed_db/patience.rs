//! How long and how often the browser is asked before an operation fails.

/// How long opening may take, with all its attempts: requests are known to get lost.
pub const OPEN_TIMEOUT_MS: u64 = 10_000;
/// How often a failing opening is tried.
pub const OPEN_ATTEMPTS: u32 = 4;
/// The pause before the second attempt; it doubles with each.
pub const OPEN_BACKOFF_MS: u64 = 50;
/// How long a destruction waits for other tabs to let go.
pub const DESTROY_TIMEOUT_MS: u64 = 10_000;
/// How long one transaction may take, up to a tick more. A tab that was frozen in a transaction of its own holds up all
/// others.
pub const TRANSACTION_TIMEOUT_MS: i32 = 30_000;
/// How often it is looked how long transactions take.
pub const TRANSACTION_TICK_MS: i32 = 10_000;
/// How many ticks a transaction has certainly lasted too long after. The first may come at once.
pub const TRANSACTION_TICKS: u32 = (TRANSACTION_TIMEOUT_MS / TRANSACTION_TICK_MS) as u32 + 1;
/// How often a transaction is tried that fails with its connection, and before anything could be written. To read
/// singly is tried once in any case.
pub const TRANSACTION_ATTEMPTS: u32 = 2;
/// How long the browser is waited for to say how much room there is, and what it promises of it. A commit that found none fails
/// without that, too, and all that wait behind it are waiting meanwhile.
pub const ROOM_TIMEOUT_MS: u64 = 1_000;
