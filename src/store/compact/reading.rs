//! Reading what is to be compacted, past the caches of readers.

use crate::host::Host;
use crate::storage::{Area, Direction, Found, Key, KeyRange, PageRequest, Request, Storage};

use super::{Compactor, Halt, missing_in};

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// Reads from the storage, as long as the layout is that of the root which was read last.
    pub(super) async fn read(&mut self, request: Request) -> Result<Found, Halt> {
        let found = self.shared.ask(request).await?;
        if found.head.layout != self.layout {
            return Err(Halt::Overtaken);
        }
        let paged = found.pages.iter().flatten().map(|record| record.value.len());
        let sizes = paged.chain(found.values.iter().flatten().map(Vec::len));
        self.read_bytes += sizes.map(|size_bytes| size_bytes as u64).sum::<u64>();
        Ok(found)
    }

    /// The records of a range, of which none may be missing. They belong to what has this number.
    pub(super) async fn read_range(
        &mut self,
        area: Area,
        range: KeyRange,
        count: usize,
        number: u64,
    ) -> Result<Vec<Vec<u8>>, Halt> {
        let page = PageRequest { area, range, direction: Direction::Forwards, count_max: count };
        let found = self.read(page.into()).await?;
        let values: Vec<Vec<u8>> = found.pages.into_iter().flatten().map(|record| record.value).collect();
        if values.len() == count { Ok(values) } else { Err(missing_in(area, number).into()) }
    }

    /// The records under these keys, of which none may be missing. They belong to what has this number.
    pub(super) async fn read_keys(
        &mut self,
        area: Area,
        keys: impl Iterator<Item = Key>,
        number: u64,
    ) -> Result<Vec<Vec<u8>>, Halt> {
        let keys: Vec<_> = keys.map(|key| (area, key)).collect();
        let count = keys.len();
        let found = self.read(Request { keys, pages: Vec::new() }).await?;
        let values: Vec<Vec<u8>> = found.values.into_iter().flatten().collect();
        if values.len() == count { Ok(values) } else { Err(missing_in(area, number).into()) }
    }
}
