//! Encryption: many documents open without a password, because only what may be done with them is locked. The key of
//! such a document follows from the file itself (ISO 32000-2, 7.6.4).

use aes::{
    Aes128, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};

use super::object::{Dictionary, Id, Object};
use crate::source::Cipher;

/// How strings or streams are encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Method {
    Identity,
    Rc4,
    Aes128,
    Aes256,
}

/// The key of a document that opens without a password.
#[derive(Clone)]
pub(super) struct Lock {
    key: Vec<u8>,
    strings: Method,
    streams: Method,
    /// Whether metadata is encrypted as well.
    pub metadata: bool,
}

impl Lock {
    /// Opens the lock that `encryption` describes, whose values are resolved; `None` where a password is needed, or the
    /// scheme is not known.
    pub fn open(encryption: &Dictionary, id: &[u8]) -> Option<Lock> {
        let number = |key: &[u8]| encryption.get(key).and_then(Object::integer);
        let string = |key: &[u8]| encryption.get(key).and_then(Object::string).unwrap_or_default();
        let (version, revision) = (number(b"V").unwrap_or(0), number(b"R").unwrap_or(0));
        if !encryption.is(b"Filter", b"Standard") {
            return None;
        }
        let metadata = encryption.get(b"EncryptMetadata") != Some(&Object::Boolean(false));
        let bits = if version == 1 { 40 } else { number(b"Length").unwrap_or(if version == 4 { 128 } else { 40 }) };
        let (strings, streams) = match version {
            1 | 2 => (Method::Rc4, Method::Rc4),
            4 | 5 => (method(encryption, b"StrF")?, method(encryption, b"StmF")?),
            _ => return None,
        };
        let user = string(b"U");
        let key = match revision {
            2..=4 => {
                let len = usize::try_from(bits / 8).ok().filter(|len| (5..=16).contains(len))?;
                let key = key_of_md5(encryption, id, revision, len, metadata);
                is_user_key(&key, user, id, revision).then_some(key)?
            }
            5 | 6 => {
                let hash = |salt: &[u8]| if revision == 5 { Sha256::digest(salt).to_vec() } else { hardened(salt) };
                let (check, salt) = (user.get(32..40)?, user.get(40..48)?);
                if user.get(..32)? != hash(check) {
                    return None;
                }
                let wrapped = string(b"UE").get(..32)?;
                let kek: [u8; 32] = hash(salt).try_into().ok()?;
                // A whole block behind it keeps the last one from being taken for padding.
                let text = [&[0; 16], wrapped, &[0; 16]].concat();
                Cipher::Aes256(kek).decrypt(&text).get(..32)?.to_vec()
            }
            _ => return None,
        };
        Some(Lock { key, strings, streams, metadata })
    }

    /// The cipher of the strings in an object.
    pub fn of_strings(&self, id: Id) -> Option<Cipher> {
        self.of(self.strings, id)
    }

    /// The cipher of the stream of an object.
    pub fn of_stream(&self, id: Id) -> Option<Cipher> {
        self.of(self.streams, id)
    }

    fn of(&self, method: Method, id: Id) -> Option<Cipher> {
        if method == Method::Aes256 {
            return Some(Cipher::Aes256(self.key.as_slice().try_into().ok()?));
        }
        let mut hash = Md5::new();
        hash.update(&self.key);
        hash.update(id.number.to_le_bytes().get(..3)?);
        hash.update(id.generation.to_le_bytes().get(..2)?);
        if method == Method::Aes128 {
            hash.update(b"sAlT");
        }
        let key: [u8; 16] = hash.finalize().into();
        match method {
            Method::Rc4 => Some(Cipher::Rc4(key, self.key.len().saturating_add(5).min(16))),
            Method::Aes128 => Some(Cipher::Aes128(key)),
            Method::Identity | Method::Aes256 => None,
        }
    }
}

/// The method of a crypt filter (7.6.6).
fn method(encryption: &Dictionary, which: &[u8]) -> Option<Method> {
    let name = encryption.get(which).and_then(Object::name).unwrap_or(b"Identity");
    if name == b"Identity" {
        return Some(Method::Identity);
    }
    let filters = encryption.get(b"CF").and_then(Object::dictionary)?;
    match filters.get(name)?.dictionary()?.get(b"CFM")?.name()? {
        b"None" => Some(Method::Identity),
        b"V2" => Some(Method::Rc4),
        b"AESV2" => Some(Method::Aes128),
        b"AESV3" => Some(Method::Aes256),
        _ => None,
    }
}

/// What fills up a password that is shorter: all of an empty one.
pub(super) const PADDING: [u8; 32] = [
    0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56, 0xff, 0xfa, 0x01, 0x08, 0x2e, 0x2e, 0x00,
    0xb6, 0xd0, 0x68, 0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
];

/// Algorithm 2.
fn key_of_md5(encryption: &Dictionary, id: &[u8], revision: u64, len: usize, metadata: bool) -> Vec<u8> {
    let owner = encryption.get(b"O").and_then(Object::string).unwrap_or_default();
    let permissions = match encryption.get(b"P") {
        Some(Object::Integer(permissions)) => *permissions,
        _ => 0,
    };
    let mut hash = Md5::new();
    hash.update(PADDING);
    hash.update(owner.get(..32).unwrap_or(owner));
    hash.update(permissions.to_le_bytes().get(..4).unwrap_or_default());
    hash.update(id);
    if revision >= 4 && !metadata {
        hash.update([0xff; 4]);
    }
    let mut key = hash.finalize().to_vec();
    key.truncate(len);
    for _ in 0..if revision >= 3 { 50 } else { 0 } {
        key = Md5::digest(&key).to_vec();
        key.truncate(len);
    }
    key
}

/// Whether the key is that of the empty password (algorithms 4 and 5).
fn is_user_key(key: &[u8], user: &[u8], id: &[u8], revision: u64) -> bool {
    let encrypted = |key: &[u8], text: &[u8]| {
        let mut whole = [0; 16];
        for (to, from) in whole.iter_mut().zip(key) {
            *to = *from;
        }
        // The cipher is its own inverse.
        Cipher::Rc4(whole, key.len()).decrypt(text)
    };
    if revision == 2 {
        return user == encrypted(key, &PADDING);
    }
    let mut hash = Md5::new();
    hash.update(PADDING);
    hash.update(id);
    let mut text = hash.finalize().to_vec();
    for round in 0..20u8 {
        let changed: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
        text = encrypted(&changed, &text);
    }
    user.get(..16) == text.get(..16)
}

/// Algorithm 2.B for the empty password.
fn hardened(salt: &[u8]) -> Vec<u8> {
    let mut key = Sha256::digest(salt).to_vec();
    let mut round = 0u8;
    loop {
        let (Some(Ok(secret)), Some(Ok(mut chained))) =
            (key.get(..16).map(<[u8; 16]>::try_from), key.get(16..32).map(<[u8; 16]>::try_from))
        else {
            return key;
        };
        let cipher = Aes128::new(&secret.into());
        let mut text = key.repeat(64);
        for block in text.chunks_exact_mut(16) {
            for (byte, before) in chained.iter_mut().zip(block.iter()) {
                *byte ^= before;
            }
            let mut encrypted = Block::from(chained);
            cipher.encrypt_block(&mut encrypted);
            chained = encrypted.into();
            block.copy_from_slice(&chained);
        }
        let sum = text.iter().take(16).fold(0u32, |sum, byte| sum.saturating_add(u32::from(*byte)));
        key = match sum % 3 {
            0 => Sha256::digest(&text).to_vec(),
            1 => Sha384::digest(&text).to_vec(),
            _ => Sha512::digest(&text).to_vec(),
        };
        round = round.saturating_add(1);
        // At least 64 rounds, and then until the last byte of the text is small enough.
        let last = text.last().copied().unwrap_or(0);
        if round >= 64 && (last <= round.saturating_sub(32) || round == u8::MAX) {
            key.truncate(32);
            return key;
        }
    }
}
