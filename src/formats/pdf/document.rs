//! The document: which object a reference means, and what the objects hold.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    ops::Range,
    rc::Rc,
};

use super::{
    body::{Body, Placed},
    crypt::Lock,
    object::{self, Dictionary, Object, is_space},
    stream::{self, Content},
    table::{Entry, Table, data_at, read_object},
};
use crate::{
    bytes::{Bytes, DOOR},
    format::Visit,
    sorting,
    source::Cipher,
    stop::{Limit, Stop},
};

/// An object of the file: one that stands in it, or one in an object stream.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Key {
    /// Among [`Document::objects`].
    Placed(usize),
    /// Among the objects in object streams.
    Inside(usize),
    /// Among [`Document::roots`].
    Root(usize),
}

/// An object in an object stream.
struct Inside {
    number: u32,
    /// The stream, among [`Document::objects`].
    container: usize,
    /// Its place in the content of the stream.
    range: Range<usize>,
}

/// A document.
pub(super) struct Document {
    bytes: Bytes,
    pub objects: Vec<Placed>,
    inside: Vec<Inside>,
    /// The object that a number means.
    current: HashMap<u32, Key>,
    /// The trailers from which the document is reached.
    pub roots: Vec<(Range<u64>, Object)>,
    /// Where they lead nowhere: every catalog.
    pub catalogs: Vec<Key>,
    /// The scheme, where strings and streams are encrypted and cannot be read.
    pub encrypted: Option<String>,
    /// The key, where no password is needed.
    lock: Option<Lock>,
    /// Bytes that were read where the order of the file has no object.
    strayed: u64,
    contents: RefCell<Contents>,
}

/// Contents of object streams that are kept.
#[derive(Default)]
struct Contents {
    kept: HashMap<usize, Rc<Vec<u8>>>,
    len: usize,
}

/// How many bytes of them.
const KEPT: usize = 32 << 20;

/// References to references.
const HOPS: usize = 32;

/// Bytes of small files that may be read in vain.
const STRAYED: u64 = 16 << 20;

/// Objects in object streams.
const INSIDE: usize = 1 << 20;

impl Document {
    /// Brings together what stands in the file and what its cross-references say. Without cross-references the last
    /// object of a number counts, as in programs that repair a file.
    ///
    /// # Errors
    /// Limits, and those of source and budget.
    pub fn new(visit: &mut Visit<'_>, bytes: Bytes, table: Option<Table>, body: &mut Body) -> Result<Self, Stop> {
        let mut document = Document {
            bytes,
            objects: std::mem::take(&mut body.objects),
            inside: Vec::new(),
            current: HashMap::new(),
            roots: Vec::new(),
            catalogs: Vec::new(),
            encrypted: None,
            lock: None,
            strayed: 0,
            contents: RefCell::default(),
        };
        let trailers = match &table {
            // What is deleted or replaced since the newest revision is not reached.
            Some(table) => table.trailers.get(..1).unwrap_or_default(),
            None => &body.trailers,
        };
        let root = |(place, trailer): &(Range<u64>, Dictionary)| (place.clone(), Object::Dictionary(trailer.clone()));
        document.roots = trailers.iter().map(root).collect();
        let ordered = document.objects.len();
        match &table {
            Some(table) => document.look_up(visit, table)?,
            None => {
                let placed = document.objects.iter().enumerate();
                document.current = placed.map(|(index, placed)| (placed.id.number, Key::Placed(index))).collect();
            }
        }
        // An object may stand in what other programs pass over.
        let strays = document.objects.get(ordered..).unwrap_or_default();
        body.junk.retain(|junk| !strays.iter().any(|stray| junk.contains(&stray.range.start)));
        if table.is_none() {
            document.find_roots((0..document.objects.len()).map(Key::Placed))?;
        }
        document.find_encryption()?;
        let containers = document.open_containers(visit)?;
        document.look_inside(table.as_ref(), &containers);
        if table.is_none() {
            document.find_roots((0..document.inside.len()).map(Key::Inside))?;
        }
        if !document.has_catalog()? {
            visit.note(Stop::malformed(document.bytes.start(), "a trailer that leads to a catalog"));
            document.find_roots(document.keys())?;
        }
        Ok(document)
    }

    /// Finds the objects that the cross-references name. What stands in the data of a stream is read as well.
    fn look_up(&mut self, visit: &mut Visit<'_>, table: &Table) -> Result<(), Stop> {
        let starts: HashMap<u64, usize> =
            self.objects.iter().enumerate().map(|(index, placed)| (placed.range.start, index)).collect();
        let last: HashMap<u32, usize> =
            self.objects.iter().enumerate().map(|(index, placed)| (placed.id.number, index)).collect();
        let mut entries: Vec<(u32, u64)> = Vec::new();
        for (number, entry) in &table.entries {
            if let Entry::At(at) = entry {
                entries.push((*number, *at));
            }
        }
        sorting::by_key(&mut entries, |entry| *entry);
        for (number, at) in entries {
            let placed = |index: &&usize| self.objects.get(**index).is_some_and(|placed| placed.id.number == number);
            let found = match starts.get(&at).filter(placed) {
                Some(index) => Some(*index),
                None => self.object_at(visit, number, at, &starts)?,
            };
            let found = found.or_else(|| {
                visit.note(Stop::malformed(at, format!("object {number}")));
                last.get(&number).copied()
            });
            if let Some(index) = found {
                self.current.insert(number, Key::Placed(index));
            }
        }
        Ok(())
    }

    /// The object that stands at a place where the order of the file has none.
    fn object_at(
        &mut self,
        visit: &mut Visit<'_>,
        number: u32,
        at: u64,
        starts: &HashMap<u64, usize>,
    ) -> Result<Option<usize>, Stop> {
        let window = self.bytes.peek(at, 64)?;
        let rest = object::skip_space(&window);
        let start = at.saturating_add(window.len().saturating_sub(rest.len()) as u64);
        let Ok((rest, id)) = object::head(rest) else { return Ok(None) };
        if id.number != number {
            return Ok(None);
        }
        if let Some(index) = starts.get(&start) {
            return Ok(Some(*index));
        }
        let value_at = at.saturating_add(window.len().saturating_sub(rest.len()) as u64);
        // Places that lead into the same bytes again and again are no document.
        if self.strayed > self.bytes.len().saturating_mul(8).saturating_add(STRAYED) {
            return Ok(None);
        }
        let read = match read_object(&self.bytes, value_at) {
            Ok(read) => read,
            Err(Stop::Malformed(spot)) => {
                self.strayed = self.strayed.saturating_add(spot.at.saturating_sub(value_at));
                return Ok(None);
            }
            Err(stop) => return Err(stop),
        };
        self.strayed = self.strayed.saturating_add(read.end.saturating_sub(value_at));
        visit.structure(start..read.end, "objects")?;
        let mut data = 0..0;
        let mut end = read.end;
        if let Object::Dictionary(dictionary) = &read.object
            && let Some(from) = data_at(&self.bytes, read.end)?
        {
            let len = dictionary.get(b"Length").and_then(Object::integer).unwrap_or(0);
            data = from..from.saturating_add(len).min(self.bytes.end());
            visit.structure(read.end..from, "objects")?;
            end = data.end;
        }
        let window = self.bytes.peek(end, 256)?;
        let mut rest = window.as_slice();
        for word in ["endstream", "endobj"] {
            let text = object::skip_space(rest);
            rest = text.strip_prefix(word.as_bytes()).unwrap_or(rest);
        }
        let behind = |rest: &[u8]| end.saturating_add(window.len().saturating_sub(rest.len()) as u64);
        visit.structure(end..behind(rest), "objects")?;
        // What stands in a comment is followed by the rest of the comment.
        visit.slack(behind(rest)..behind(object::skip_space(rest)), "comment")?;
        self.objects.push(Placed { id, range: start..read.end, data });
        Ok(Some(self.objects.len().saturating_sub(1)))
    }

    fn find_encryption(&mut self) -> Result<(), Stop> {
        for (_, root) in self.roots.clone() {
            let Some(root) = root.dictionary() else { continue };
            let Some(encryption) = root.get(b"Encrypt") else { continue };
            let encryption = self.resolved(encryption)?;
            let Some(dictionary) = encryption.dictionary() else { continue };
            let entries = dictionary.0.iter().map(|(key, value)| Ok((key.clone(), self.resolved(value)?)));
            let dictionary = Dictionary(entries.collect::<Result<_, Stop>>()?);
            let id = root.get(b"ID").map(|id| self.resolved(id)).transpose()?;
            let id = match &id {
                Some(Object::Array(parts)) => parts.first().and_then(Object::string).unwrap_or_default(),
                _ => &[],
            };
            self.lock = Lock::open(&dictionary, id);
            let filter = dictionary.get(b"Filter").and_then(Object::name).unwrap_or_default();
            let scheme = || format!("security handler {}", String::from_utf8_lossy(filter));
            self.encrypted = self.lock.is_none().then(scheme);
        }
        Ok(())
    }

    /// Lists what is in every object stream.
    fn open_containers(&mut self, visit: &mut Visit<'_>) -> Result<HashMap<u32, Vec<usize>>, Stop> {
        let mut containers: HashMap<u32, Vec<usize>> = HashMap::new();
        for index in 0..self.objects.len() {
            let Some(placed) = self.objects.get(index).filter(|placed| placed.is_stream()).cloned() else { continue };
            let object = self.object(Key::Placed(index))?;
            let Some(dictionary) = object.dictionary().filter(|dictionary| dictionary.is(b"Type", b"ObjStm")) else {
                continue;
            };
            if self.encrypted.is_some() {
                continue;
            }
            let content = match self.container(index) {
                Ok(content) => content,
                Err(stop) if stop.ends_check() => return Err(stop),
                Err(stop) => {
                    visit.note(stop);
                    continue;
                }
            };
            let first = dictionary.get(b"First").map(|first| self.resolved(first)).transpose()?;
            let first = first.as_ref().and_then(Object::integer).and_then(|first| usize::try_from(first).ok());
            let first = first.unwrap_or(usize::MAX).min(content.len());
            let pairs = pairs(content.get(..first).unwrap_or_default());
            let mut starts: Vec<usize> = pairs.iter().map(|(_, offset)| first.saturating_add(*offset)).collect();
            starts.push(content.len());
            sorting::by_key(&mut starts, |start| *start);
            containers.entry(placed.id.number).or_default().push(index);
            let mut is_whole = !pairs.is_empty() || first == content.len();
            let mut taken = HashSet::new();
            for (number, offset) in pairs {
                // Two objects in one place would be read twice.
                if !taken.insert(offset) {
                    is_whole = false;
                    continue;
                }
                if self.inside.len() >= INSIDE {
                    return Err(Stop::Exhausted(Limit::Claims));
                }
                let start = first.saturating_add(offset);
                let next = starts.partition_point(|other| *other <= start);
                let end = starts.get(next).copied().unwrap_or(content.len());
                is_whole &= start < content.len();
                self.inside.push(Inside { number, container: index, range: start..end });
            }
            if !is_whole {
                visit.note(Stop::malformed(placed.data.start, "the objects of an object stream"));
            }
        }
        Ok(containers)
    }

    /// Which of the objects in object streams are meant.
    fn look_inside(&mut self, table: Option<&Table>, containers: &HashMap<u32, Vec<usize>>) {
        for (index, inside) in self.inside.iter().enumerate() {
            let meant = match table {
                Some(table) => match table.entries.get(&inside.number) {
                    Some(Entry::Inside(container)) => {
                        self.current.get(container) == Some(&Key::Placed(inside.container))
                            || containers.get(container).is_some_and(|all| all.as_slice() == [inside.container])
                    }
                    _ => false,
                },
                // The later one counts, as in the rest of a file that is repaired.
                None => match self.current.get(&inside.number) {
                    Some(Key::Placed(placed)) => *placed < inside.container,
                    _ => true,
                },
            };
            if meant {
                self.current.insert(inside.number, Key::Inside(index));
            }
        }
    }

    fn has_catalog(&self) -> Result<bool, Stop> {
        if !self.catalogs.is_empty() {
            return Ok(true);
        }
        for (_, root) in &self.roots {
            let catalog = root.dictionary().and_then(|root| root.get(b"Root"));
            if let Some(catalog) = catalog
                && self.resolved(catalog)?.dictionary().is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where no trailer is known to count: every catalog, and what streams of cross-references say.
    fn find_roots(&mut self, keys: impl Iterator<Item = Key>) -> Result<(), Stop> {
        for key in keys {
            let object = self.object(key)?;
            let Some(dictionary) = object.dictionary() else { continue };
            if dictionary.is(b"Type", b"Catalog") {
                self.catalogs.push(key);
            } else if dictionary.is(b"Type", b"XRef") {
                self.roots.push((self.place(key), object));
            }
        }
        Ok(())
    }

    /// Every object, meant or not.
    pub fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        (0..self.objects.len()).map(Key::Placed).chain((0..self.inside.len()).map(Key::Inside))
    }

    /// The object that `object` refers to, as a key; `None` for one that stands where it is, or nowhere.
    pub fn key_of(&self, object: &Object) -> Option<Key> {
        object.reference().and_then(|id| self.current.get(&id.number)).copied()
    }

    /// What `object` refers to, or the object itself.
    ///
    /// # Errors
    /// Those of source and budget.
    pub fn resolved(&self, object: &Object) -> Result<Object, Stop> {
        let mut object = object.clone();
        for _ in 0..HOPS {
            if object.reference().is_none() {
                return Ok(object);
            }
            match self.key_of(&object) {
                Some(key) => object = self.object(key)?,
                None => return Ok(Object::Null),
            }
        }
        Ok(Object::Null)
    }

    /// The object of a key; null where it is damaged.
    ///
    /// # Errors
    /// Those of source and budget.
    pub fn object(&self, key: Key) -> Result<Object, Stop> {
        match key {
            Key::Placed(index) => {
                let Some(placed) = self.objects.get(index) else { return Ok(Object::Null) };
                let head = self.bytes.peek(placed.range.start, 64)?;
                let Ok((rest, _)) = object::head(&head) else { return Ok(Object::Null) };
                let at = placed.range.start.saturating_add(head.len().saturating_sub(rest.len()) as u64);
                match read_object(&self.bytes.window(0..placed.range.end), at) {
                    Ok(read) => {
                        let mut object = read.object;
                        if let Some(cipher) = self.lock.as_ref().and_then(|lock| lock.of_strings(placed.id)) {
                            decrypt(&mut object, cipher);
                        }
                        Ok(object)
                    }
                    Err(Stop::Malformed(_)) => Ok(Object::Null),
                    Err(stop) => Err(stop),
                }
            }
            Key::Inside(index) => {
                let Some(inside) = self.inside.get(index) else { return Ok(Object::Null) };
                let content = self.container(inside.container)?;
                let text = content.get(inside.range.clone()).unwrap_or_default();
                self.bytes.budget().charge(text.len() as u64)?;
                Ok(object::parse(text).map_or(Object::Null, |parsed| parsed.object))
            }
            Key::Root(index) => Ok(self.roots.get(index).map_or(Object::Null, |(_, root)| root.clone())),
        }
    }

    /// The place of an object in the file: that of its stream, where it is in one.
    pub fn place(&self, key: Key) -> Range<u64> {
        let placed = |index: usize| self.objects.get(index);
        match key {
            Key::Placed(index) => placed(index).map(|placed| placed.range.clone()),
            Key::Root(index) => self.roots.get(index).map(|(place, _)| place.clone()),
            Key::Inside(index) => {
                self.inside.get(index).and_then(|inside| placed(inside.container)).map(|placed| placed.data.clone())
            }
        }
        .unwrap_or(0..0)
    }

    /// The content of an object stream.
    fn container(&self, index: usize) -> Result<Rc<Vec<u8>>, Stop> {
        if let Some(content) = self.contents.borrow().kept.get(&index) {
            return Ok(content.clone());
        }
        let dictionary = self.object(Key::Placed(index))?;
        let content = self.content(index, dictionary.dictionary().unwrap_or(&Dictionary::default()))?;
        if let Some(stop) = content.stop {
            return Err(stop);
        }
        let place = self.objects.get(index).map_or(0, |placed| placed.data.start);
        if content.bytes.len() > DOOR as u64 || content.left.is_some() {
            return Err(Stop::unsupported(place, "object stream"));
        }
        let content = Rc::new(content.bytes.all()?);
        let mut contents = self.contents.borrow_mut();
        if contents.len.saturating_add(content.len()) > KEPT {
            *contents = Contents::default();
        }
        contents.len = contents.len.saturating_add(content.len());
        contents.kept.insert(index, content.clone());
        Ok(content)
    }

    /// The content of the stream of a placed object.
    ///
    /// # Errors
    /// What ends the whole check, and those of the source.
    pub fn content(&self, index: usize, dictionary: &Dictionary) -> Result<Content, Stop> {
        let Some(placed) = self.objects.get(index) else { return Err(Stop::malformed(0, "a stream")) };
        let plain = dictionary.is(b"Type", b"XRef") || dictionary.is(b"Type", b"Metadata");
        let lock = self.lock.as_ref().filter(|lock| !plain || (lock.metadata && dictionary.is(b"Type", b"Metadata")));
        let cipher = lock.and_then(|lock| lock.of_stream(placed.id));
        stream::content(self.bytes.window(placed.data.clone()), dictionary, cipher, &|object| self.resolved(object))
    }

    /// The first bytes of the content of a stream.
    ///
    /// # Errors
    /// As [`Document::content`].
    pub fn start_of_content(&self, index: usize, len: usize) -> Result<Vec<u8>, Stop> {
        let dictionary = self.object(Key::Placed(index))?;
        let content = self.content(index, dictionary.dictionary().unwrap_or(&Dictionary::default()))?;
        content.bytes.peek(content.bytes.start(), len)
    }

    /// The object with a stream that `object` refers to, among [`Document::objects`].
    pub fn stream_of(&self, object: &Object) -> Option<usize> {
        match self.key_of(object) {
            Some(Key::Placed(index)) => self.objects.get(index).filter(|placed| placed.is_stream()).map(|_| index),
            _ => None,
        }
    }
}

/// Decrypts every string in an object.
fn decrypt(object: &mut Object, cipher: Cipher) {
    let mut waiting = vec![object];
    while let Some(object) = waiting.pop() {
        match object {
            Object::String(string) => *string = cipher.decrypt(string),
            Object::Array(values) => waiting.extend(values),
            Object::Dictionary(dictionary) => waiting.extend(dictionary.0.iter_mut().map(|(_, value)| value)),
            _ => {}
        }
    }
}

/// The numbers and offsets at the start of an object stream.
fn pairs(text: &[u8]) -> Vec<(u32, usize)> {
    let words = text.split(|byte| is_space(*byte)).filter(|word| !word.is_empty());
    let numbers = words.map_while(|word| std::str::from_utf8(word).ok()?.parse::<u32>().ok());
    let numbers: Vec<u32> = numbers.collect();
    let pair = |pair: &[u32]| Some((*pair.first()?, usize::try_from(*pair.last()?).ok()?));
    numbers.chunks_exact(2).filter_map(pair).collect()
}
