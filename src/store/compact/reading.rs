//! Reading what is to be compacted, past the caches of readers.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::host::Host;
use crate::storage::{Area, Direction, Found, Key, KeyRange, PageRequest, Request, Storage};

use super::{Compactor, Halt, missing_in};

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// Reads from the storage, as long as the layout is that of the root which was read last.
    pub(super) fn read(&mut self, request: Request) -> LocalBoxFuture<'_, Result<Found, Halt>> {
        async move {
            let found = self.shared.ask(request).await?;
            if found.head.layout != self.layout {
                return Err(Halt::Overtaken);
            }
            for record in found.pages.iter().flatten() {
                self.read_bytes += record.value.len() as u64;
            }
            for value in found.values.iter().flatten() {
                self.read_bytes += value.len() as u64;
            }
            Ok(found)
        }
        .boxed_local()
    }

    /// The records of a range, of which none may be missing. They belong to what has this number.
    pub(super) fn read_range(
        &mut self,
        area: Area,
        range: KeyRange,
        count: usize,
        number: u64,
    ) -> LocalBoxFuture<'_, Result<Vec<Vec<u8>>, Halt>> {
        let page = PageRequest { area, range, direction: Direction::Forwards, count_max: count };
        self.read_all(area, page.into(), count, number)
    }

    /// The records under these keys, of which none may be missing. They belong to what has this number.
    pub(super) fn read_keys(
        &mut self,
        area: Area,
        keys: Vec<(Area, Key)>,
        number: u64,
    ) -> LocalBoxFuture<'_, Result<Vec<Vec<u8>>, Halt>> {
        let count = keys.len();
        self.read_all(area, Request { keys, pages: Vec::new() }, count, number)
    }

    fn read_all(
        &mut self,
        area: Area,
        request: Request,
        count: usize,
        number: u64,
    ) -> LocalBoxFuture<'_, Result<Vec<Vec<u8>>, Halt>> {
        async move {
            let Found { values, pages, .. } = self.read(request).await?;
            let mut read: Vec<Vec<u8>> = Vec::with_capacity(count);
            for value in values {
                read.extend(value);
            }
            for record in pages.into_iter().flatten() {
                read.push(record.value);
            }
            if read.len() == count { Ok(read) } else { Err(missing_in(area, number)) }
        }
        .boxed_local()
    }
}
