//! How many copies of a secret are in the memory of the process: read back from /proc/self/mem.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use zeroize::Zeroizing;

/// The secret, each byte with all bits turned, so that this program itself holds no copy of it.
const TURNED: &[u8] = &[
    !b'r', !b'e', !b's', !b'i', !b'd', !b'u', !b'e', !b'-', !b'7', !b'f', !b'3', !b'a', !b'9',
    !b'c', !b'1', !b'e', !b'5', !b'b', !b'2', !b'd', !b'8', !b'4', !b'6', !b'0',
];

/// The secret, in one place that is wiped.
pub(crate) fn secret() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(TURNED.iter().map(|byte| !byte).collect())
}

/// Looks for copies. It is made before there are any: memory that it asked for later would be what copies lay in
/// a moment ago, and they would be gone.
pub(crate) struct Search {
    maps: Vec<u8>,
    window: Vec<u8>,
}

impl Search {
    pub(crate) fn new() -> Self {
        Self {
            maps: vec![0; 1 << 20],
            window: vec![0; TURNED.len() * 4096],
        }
    }

    /// The number of copies in everything that this process may write to.
    pub(crate) fn copies(&mut self) -> usize {
        let Self { maps, window } = self;
        let mut file = File::open("/proc/self/maps").expect("a Linux process");
        let mut length = 0;
        loop {
            let read = file.read(&mut maps[length..]).expect("one's own maps");
            length += read;
            if read == 0 {
                break;
            }
        }
        assert!(length < maps.len(), "all of the maps");
        let memory = File::open("/proc/self/mem").expect("one's own memory");
        let lines = std::str::from_utf8(&maps[..length]).expect("ASCII").lines();
        let writable = lines.filter_map(range);
        writable
            .map(|range| copies_in(&memory, range, window))
            .sum()
    }
}

/// The addresses of a line of the maps, if this process may write there.
fn range(line: &str) -> Option<Range<u64>> {
    let mut fields = line.split_whitespace();
    let (from, to) = fields.next()?.split_once('-')?;
    let end = |end| u64::from_str_radix(end, 16).expect("hex");
    fields.next()?.starts_with("rw").then(|| end(from)..end(to))
}

/// It is turned as it is read, so that the search makes no copies of what it looks for.
fn copies_in(memory: &File, range: Range<u64>, window: &mut [u8]) -> usize {
    // What it has read, and turned, lies in memory, too.
    let start = window.as_ptr().addr() as u64;
    let own = start..start + window.len() as u64;
    let mut found = 0;
    let mut at = range.start;
    while at < range.end {
        let room = usize::try_from(range.end - at).expect("64 bits");
        let room = room.min(window.len());
        let Ok(read) = memory.read_at(&mut window[..room], at) else {
            break;
        };
        window[..read].iter_mut().for_each(|byte| *byte = !*byte);
        let hits = window[..read].windows(TURNED.len()).enumerate();
        let hits = hits.filter(|(_, bytes)| *bytes == TURNED);
        found += hits
            .filter(|(n, _)| !own.contains(&(at + *n as u64)))
            .count();
        if read < TURNED.len() {
            break;
        }
        // A copy may lie across two windows.
        at += u64::try_from(read - TURNED.len() + 1).expect("64 bits");
    }
    window.fill(0);
    found
}
