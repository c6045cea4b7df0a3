//! How long and how often the browser is asked before an operation fails.

/// How long opening may take, with all its attempts: requests are known to get lost.
pub const OPEN_TIMEOUT_MS: u64 = 10_000;
/// How often a failing opening is tried.
pub const OPEN_ATTEMPTS: u32 = 4;
/// The pause before the second attempt; it doubles with each.
pub const OPEN_BACKOFF_MS: u64 = 50;
/// How long a destruction waits for other tabs to let go.
pub const DESTROY_TIMEOUT_MS: u64 = 10_000;
/// How long one transaction may take. A tab that was frozen in a transaction of its own holds up all others.
pub const TRANSACTION_TIMEOUT_MS: u64 = 30_000;
/// How often a transaction is tried that fails with its connection, and before anything could be written.
pub const TRANSACTION_ATTEMPTS: u32 = 2;
