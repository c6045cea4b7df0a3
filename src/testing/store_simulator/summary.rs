//! What a simulation went through, in numbers.

use crate::error::{Detail, Error};

use super::Strain;

/// How often things happened, so that a test can tell that they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Appends that were accepted.
    pub accepted: u64,
    /// Appends that were repetitions.
    pub duplicates: u64,
    /// Appends and marks refused for what was expected.
    pub refused_expectations: u64,
    /// Appends refused for their condition.
    pub refused_conditions: u64,
    /// Appends refused for their ids.
    pub refused_ids: u64,
    /// Appends and marks refused for a tombstone.
    pub refused_tombstones: u64,
    /// Appends and marks that the storage failed, and that were not written.
    pub not_written: u64,
    /// Appends and marks whose caller was told that nobody knows.
    pub unknown: u64,
    /// Appends and marks that were written without an answer.
    pub landed_unanswered: u64,
    /// Marks that were accepted.
    pub marked: u64,
    /// Reads and descriptions that ended.
    pub reads: u64,
    /// Tabs that crashed.
    pub crashes: u64,
    /// Compactions that somebody asked for, and that came to their end.
    pub compactions: u64,
    /// Layouts that were found stored.
    pub layouts: u64,
    /// Streams that began to be deleted and written again more often than is told apart.
    pub chains: u64,
    /// Hidden events that were found to be erased.
    pub erased: u64,
    /// Roots that were lost, damaged, or replaced by older ones.
    pub decayed_roots: u64,
    /// Other derived records that were lost, damaged, or exchanged.
    pub decayed: u64,
    /// Tabs that died before an operation on the storage.
    pub cut_off: u64,
    /// Events that subscribers were told of.
    pub told: u64,
    /// Pages in which they were told.
    pub pages_told: u64,
    /// Tabs that were frozen.
    pub frozen: u64,
    /// Events that consumers handled.
    pub consumed: u64,
    /// Times that a consumer parked an event.
    pub parked: u64,
    /// Times that what is parked was to be tried again.
    pub retried: u64,
    /// Times that a tab found while it handled an event that another one leads.
    pub leads_lost: u64,
    /// States of what answers of a projection that were found stored.
    pub checkpoints: u64,
    /// Questions for documents that were answered.
    pub documents_asked: u64,
    /// Builds that were begun although there was one.
    pub builds_anew: u64,
    /// Times that a tab had folded what another one had taken the right to.
    pub turns_lost: u64,
}

impl Summary {
    /// Counts a refusal by its kind.
    pub(super) fn count_refusal(&mut self, error: &Error) {
        *match error.detail() {
            Detail::WrongExpectedRevision { .. } => &mut self.refused_expectations,
            Detail::AppendConditionFailed { .. } => &mut self.refused_conditions,
            Detail::IdConflict { .. } => &mut self.refused_ids,
            _ => &mut self.refused_tombstones,
        } += 1;
    }

    /// Adds up.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts_mut().into_iter().zip({ *other }.counts_mut()) {
            *count += *more;
        }
    }

    /// Whether each of the things happened at least once; those that only happen under strain under this one, and
    /// only where it has them happen.
    pub fn has_everything(mut self, strain: Strain) -> bool {
        let Strain {
            die_permille,
            decay_permille,
            subscribe_permille,
            freeze_permille,
            consume_permille,
            project_permille,
            ..
        } = strain;
        let strained = [
            (self.decayed_roots, decay_permille),
            (self.decayed, decay_permille),
            (self.cut_off, die_permille),
            (self.told, subscribe_permille),
            (self.pages_told, subscribe_permille),
            (self.frozen, freeze_permille),
            (self.consumed, consume_permille),
            (self.parked, consume_permille),
            (self.retried, consume_permille),
            (self.leads_lost, consume_permille),
            (self.checkpoints, project_permille),
            (self.documents_asked, project_permille),
            (self.builds_anew, project_permille),
            (self.turns_lost, project_permille),
        ];
        let usual_count = self.counts_mut().len() - strained.len();
        self.counts_mut().into_iter().take(usual_count).all(|count| 0 < *count)
            && strained.into_iter().all(|(count, permille)| (0 < count) == (0 < permille))
    }

    fn counts_mut(&mut self) -> [&mut u64; 30] {
        [
            &mut self.accepted,
            &mut self.duplicates,
            &mut self.refused_expectations,
            &mut self.refused_conditions,
            &mut self.refused_ids,
            &mut self.refused_tombstones,
            &mut self.not_written,
            &mut self.unknown,
            &mut self.landed_unanswered,
            &mut self.marked,
            &mut self.reads,
            &mut self.crashes,
            &mut self.compactions,
            &mut self.layouts,
            &mut self.chains,
            &mut self.erased,
            // The others only happen under strain.
            &mut self.decayed_roots,
            &mut self.decayed,
            &mut self.cut_off,
            &mut self.told,
            &mut self.pages_told,
            &mut self.frozen,
            &mut self.consumed,
            &mut self.parked,
            &mut self.retried,
            &mut self.leads_lost,
            &mut self.checkpoints,
            &mut self.documents_asked,
            &mut self.builds_anew,
            &mut self.turns_lost,
        ]
    }
}
