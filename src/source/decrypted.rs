//! RC4 and AES in cipher block chaining, as PDF uses them, over a whole stream.
//!
//! Specification: ISO 32000-2, 7.6.3; FIPS 197.

use aes::{
    Aes128, Aes256, Block,
    cipher::{BlockCipherDecrypt, KeyInit},
};

/// A cipher and its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cipher {
    /// RC4 with the first bytes of a key.
    Rc4([u8; 16], usize),
    /// AES with 128 bits; the first block is the initialisation vector.
    Aes128([u8; 16]),
    /// AES with 256 bits; the first block is the initialisation vector.
    Aes256([u8; 32]),
}

impl Cipher {
    /// The plain text of a string.
    pub fn decrypt(self, text: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(text.len());
        let mut decryption = Decryption::new(self);
        decryption.feed(text, &mut plain);
        decryption.finish(&mut plain);
        plain
    }
}

/// Decryption under way.
pub(super) enum Decryption {
    Rc4(Box<Rc4>),
    Aes { key: Key, chained: Option<[u8; 16]>, block: Vec<u8>, last: Vec<u8> },
}

pub(super) enum Key {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

impl Decryption {
    pub fn new(cipher: Cipher) -> Self {
        let aes = |key| Decryption::Aes { key, chained: None, block: Vec::new(), last: Vec::new() };
        match cipher {
            Cipher::Rc4(key, len) => Decryption::Rc4(Box::new(Rc4::new(key.get(..len).unwrap_or(&key)))),
            Cipher::Aes128(key) => aes(Key::Aes128(Box::new(Aes128::new(&key.into())))),
            Cipher::Aes256(key) => aes(Key::Aes256(Box::new(Aes256::new(&key.into())))),
        }
    }

    pub fn feed(&mut self, text: &[u8], plain: &mut Vec<u8>) {
        match self {
            Decryption::Rc4(rc4) => plain.extend(text.iter().map(|byte| byte ^ rc4.next())),
            Decryption::Aes { key, chained, block, last } => {
                for byte in text {
                    block.push(*byte);
                    let Ok(whole) = <[u8; 16]>::try_from(block.as_slice()) else { continue };
                    block.clear();
                    if let Some(before) = chained.replace(whole) {
                        // The last block is padding in part: it waits until it is known to be the last.
                        plain.append(last);
                        *last = key.decrypt(whole).iter().zip(before).map(|(byte, before)| byte ^ before).collect();
                    }
                }
            }
        }
    }

    pub fn finish(&mut self, plain: &mut Vec<u8>) {
        if let Decryption::Aes { last, .. } = self {
            let padding = usize::from(last.last().copied().unwrap_or(0));
            let keep = if padding <= 16 { last.len().saturating_sub(padding) } else { last.len() };
            plain.extend_from_slice(last.get(..keep).unwrap_or_default());
            last.clear();
        }
    }
}

impl Key {
    fn decrypt(&self, block: [u8; 16]) -> [u8; 16] {
        let mut block = Block::from(block);
        match self {
            Key::Aes128(key) => key.decrypt_block(&mut block),
            Key::Aes256(key) => key.decrypt_block(&mut block),
        }
        block.into()
    }
}

/// The key stream of RC4.
pub(super) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    fn new(key: &[u8]) -> Self {
        let mut state = [0; 256];
        for (value, byte) in (0..=255).zip(&mut state) {
            *byte = value;
        }
        let mut j = 0u8;
        for (i, key) in (0..=255usize).zip(key.iter().cycle()) {
            j = j.wrapping_add(state.get(i).copied().unwrap_or(0)).wrapping_add(*key);
            state.swap(i, usize::from(j));
        }
        Rc4 { state, i: 0, j: 0 }
    }

    fn next(&mut self) -> u8 {
        let at = |state: &[u8; 256], index: u8| state.get(usize::from(index)).copied().unwrap_or(0);
        self.i = self.i.wrapping_add(1);
        self.j = self.j.wrapping_add(at(&self.state, self.i));
        self.state.swap(usize::from(self.i), usize::from(self.j));
        at(&self.state, at(&self.state, self.i).wrapping_add(at(&self.state, self.j)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_decrypt() {
        let mut key = [0; 16];
        key[..3].copy_from_slice(b"Key");
        let cipher = Cipher::Rc4(key, 3);
        assert_eq!(cipher.decrypt(&[0xbb, 0xf3, 0x16, 0xe8, 0xd9, 0x40, 0xaf, 0x0a, 0xd3]), b"Plaintext");
        // FIPS 197, appendix C, behind a vector of zeros: a block that is no padding stays.
        let key = std::array::from_fn(|index| index as u8);
        let text = [0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a];
        let plain: Vec<u8> = (0..16u8).map(|index| index * 0x11).collect();
        assert_eq!(Cipher::Aes128(key).decrypt(&[[0; 16], text].concat()), plain);
        assert_eq!(Cipher::Aes128(key).decrypt(b"short"), b"");
    }
}
