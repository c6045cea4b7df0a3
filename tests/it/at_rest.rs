//! Damage at rest, to every record of a compacted log in turn: what can be found out again is, what cannot is told,
//! and nothing is lost by what is done afterwards.

mod blocks;
mod derived;
mod exchanged;
mod forged;
mod log;
mod pairs;
mod tail;
mod unread;
mod vain;
mod wounds;
