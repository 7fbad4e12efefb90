//! SHA-256-crypt with the servers' salts.
//!
//! The rules are Ulrich Drepper's, "Unix crypt using SHA-256 and SHA-512", version 0.6; the numbers in
//! comments are those of its steps. There a salt has 16 characters at most, and so it has in the crates that
//! follow it; `MySQL` takes 20.

use ring::digest::{Context, Digest, SHA256, digest};
use secrecy::zeroize::Zeroizing;

/// The digits of its base 64.
pub(super) const ALPHABET: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The 43 characters behind the salt.
pub(super) fn sha256_crypt(password: &[u8], salt: &[u8], rounds: u32) -> String {
    // 4 to 8.
    let mixed = hash(|add| {
        add(password);
        add(salt);
        add(password);
    });
    // 1 to 3, 9 to 12.
    let start = hash(|add| {
        add(password);
        add(salt);
        add(&stretched(mixed.as_ref(), password.len()));
        let mut bits = password.len();
        while bits > 0 {
            add(if bits & 1 == 1 {
                mixed.as_ref()
            } else {
                password
            });
            bits >>= 1;
        }
    });
    // 13 to 16.
    let password_part = hash(|add| (0..password.len()).for_each(|_| add(password)));
    let password_part = stretched(password_part.as_ref(), password.len());
    // 17 to 20.
    let times = 16 + usize::from(start.as_ref()[0]);
    let salt_part = hash(|add| (0..times).for_each(|_| add(salt)));
    let salt_part = stretched(salt_part.as_ref(), salt.len());
    // 21. In one piece, since this is what takes the time.
    let mut last = start;
    let length = 2 * password_part.len() + salt_part.len() + last.as_ref().len();
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    for round in 0..rounds {
        let (first, second): (&[u8], &[u8]) = if round & 1 == 1 {
            (&password_part, last.as_ref())
        } else {
            (last.as_ref(), &password_part)
        };
        text.clear();
        text.extend_from_slice(first);
        if round % 3 != 0 {
            text.extend_from_slice(&salt_part);
        }
        if round % 7 != 0 {
            text.extend_from_slice(&password_part);
        }
        text.extend_from_slice(second);
        last = digest(&SHA256, &text);
    }
    encoded(last.as_ref())
}

fn hash(fill: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Digest {
    let mut context = Context::new(&SHA256);
    fill(&mut |bytes| context.update(bytes));
    context.finish()
}

/// A hash repeated to this length.
fn stretched(hash: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(hash.iter().copied().cycle().take(length).collect())
}

/// 22 e: ten groups of three bytes, whose places go round, and the two that are left.
fn encoded(hash: &[u8]) -> String {
    let mut text = String::with_capacity(43);
    let mut group = |high: u8, middle: u8, low: u8, digits: u32| {
        let value = u32::from(high) << 16 | u32::from(middle) << 8 | u32::from(low);
        for at in 0..digits {
            text.push(char::from(ALPHABET[(value >> (6 * at) & 63) as usize]));
        }
    };
    let mut places = [0, 10, 20];
    for _ in 0..10 {
        group(hash[places[0]], hash[places[1]], hash[places[2]], 4);
        // Each place moves on by one, and to the next column.
        places = [places[2] + 1, places[0] + 1, places[1] + 1];
    }
    group(0, hash[31], hash[30], 3);
    text
}

#[cfg(test)]
mod tests {
    use super::sha256_crypt;

    /// The test vectors of the specification, with the salts cut off as it does.
    #[test]
    fn the_vectors_of_the_specification() {
        for (salt, rounds, password, expected) in [
            (
                "saltstring",
                5000,
                "Hello world!",
                "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
            ),
            (
                "saltstringsaltst",
                10_000,
                "Hello world!",
                "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
            ),
            (
                "toolongsaltstrin",
                5000,
                "This is just a test",
                "Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5",
            ),
            (
                "anotherlongsalts",
                1400,
                "a very much longer text to encrypt.  This one even stretches over morethan one line.",
                "Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
            ),
            (
                "short",
                77_777,
                "we have a short salt string but not a short password",
                "JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/",
            ),
        ] {
            assert_eq!(
                sha256_crypt(password.as_bytes(), salt.as_bytes(), rounds),
                expected
            );
        }
    }
}
