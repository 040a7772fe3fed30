//! Object headers and what their messages say.
//!
//! ```text
//! version 1   1 | 0 | messages 2 | references 4 | size 4 | 0 4 | message*
//!             message = kind 2 | size 2 | flags 1 | 0 3 | body
//! version 2   "OHDR" | 2 | flags | [times 16] | [phase 4] | size 1..8 | message* | gap | checksum 4
//!             message = kind 1 | size 2 | flags 1 | [order 2] | body
//! a continuation message leads to more: bare messages, or "OCHK" | message* | gap | checksum 4
//! ```

use std::{collections::HashSet, rc::Rc};

use super::{
    chunk::Chunks,
    content::built_in_name,
    message::{Attribute, Datatype, Index, Layout, Link, Space, Target, filters},
    tree::Use,
    walk::{Task, Walk, uint},
};
use crate::{
    bytes::Bytes,
    ledger::Kind,
    sorting,
    stop::{Limit, Stop},
};

/// One message.
pub(super) struct Message {
    pub kind: u16,
    /// The body only says where the message is.
    pub shared: bool,
    pub body: Bytes,
}

/// The most messages of one object that are kept.
const MOST: usize = 1 << 17;

/// What the messages of one object say about its values.
#[derive(Default)]
struct Object {
    space: Option<Space>,
    kind: Option<Datatype>,
    layout: Option<Layout>,
    filters: Vec<u16>,
}

impl Walk<'_, '_> {
    pub fn header(&mut self, address: u64, path: &Rc<str>) -> Result<(), Stop> {
        if !self.is_new(("object header", address, 0))? {
            return Ok(());
        }
        let mut object = Object::default();
        let mut messages = self.messages(address, true)?;
        // Whatever else leads to blocks, they may stand in the image.
        sorting::by_key(&mut messages, |message| message.kind != 0x18);
        let says = |kind| messages.iter().any(|message: &Message| message.kind == kind);
        match (says(0x08), says(0x02) || says(0x11), says(0x03)) {
            (true, ..) => self.visit.count("dataset", 1),
            (_, true, _) => self.visit.count("group", 1),
            (.., true) => self.visit.count("committed datatype", 1),
            _ => {}
        }
        for message in messages {
            let ended = self.message(&message, &mut object, path);
            self.carry_on(ended)?;
        }
        self.values(object, address, path)
    }

    /// The messages of the object header at an address.
    pub fn messages(&mut self, address: u64, claims: bool) -> Result<Vec<Message>, Stop> {
        let at = self.place(address)?;
        let mut cursor = self.window(at, 64).cursor();
        let mut messages = Vec::new();
        let mut parts = Vec::new();
        let mut orders = false;
        let first = if cursor.peek(4)? == b"OHDR" {
            cursor.u32_le("an object header")?;
            let [version, flags] = cursor.array("the version of an object header")?;
            if version != 2 {
                return Err(Stop::malformed(at.saturating_add(4), "an object header of version 2"));
            }
            if flags & 0x20 != 0 {
                cursor.array::<16>("the times of an object")?;
            }
            if flags & 0x10 != 0 {
                cursor.u32_le("the phase change values of an object")?;
            }
            orders = flags & 4 != 0;
            let len = uint(&mut cursor, 1 << (flags & 3), "the size of an object header")?;
            Some((cursor.at(), len))
        } else {
            let [version, _] = cursor.array("an object header")?;
            if version != 1 {
                return Err(Stop::malformed(at, "an object header"));
            }
            cursor.u16_le("the number of messages")?;
            cursor.u32_le("the reference count")?;
            let len = cursor.u32_le("the size of an object header")?;
            cursor.u32_le("padding of an object header")?;
            parts.push((cursor.at(), u64::from(len)));
            None
        };
        if claims {
            self.structure(at..cursor.at(), "object header")?;
        }
        let is_new = first.is_some();
        if let Some((start, len)) = first {
            if claims {
                let end = start.saturating_add(len);
                self.structure(end..end.saturating_add(4), "checksum")?;
            }
            parts.push((start, len));
        }
        let mut seen = HashSet::new();
        while let Some((start, len)) = parts.pop() {
            let end = start.checked_add(len).filter(|end| *end <= self.visit.bytes.end());
            let end = end.ok_or(Stop::malformed(start, "an object header that ends in the file"))?;
            if !seen.insert(start) {
                continue;
            }
            self.part(start..end, is_new.then_some(orders), claims, &mut messages, &mut parts)?;
        }
        Ok(messages)
    }

    /// The messages of one part of an object header; `orders` says of a new one whether messages have an order.
    fn part(
        &mut self,
        range: std::ops::Range<u64>,
        orders: Option<bool>,
        claims: bool,
        messages: &mut Vec<Message>,
        parts: &mut Vec<(u64, u64)>,
    ) -> Result<(), Stop> {
        let widths = self.widths;
        let fixed = match orders {
            None => 8,
            Some(false) => 4,
            Some(true) => 6,
        };
        let mut cursor = self.visit.bytes.window(range).cursor();
        while cursor.remaining() >= fixed {
            let start = cursor.at();
            let kind = match orders {
                None => cursor.u16_le("the kind of a message")?,
                Some(_) => cursor.u8("the kind of a message")?.into(),
            };
            let len = cursor.u16_le("the size of a message")?;
            let flags = cursor.u8("the flags of a message")?;
            cursor.seek(start.saturating_add(fixed));
            let body = cursor.take(len.into(), "a message that ends in its header")?;
            if claims {
                self.structure(start..body.start(), "message header")?;
            }
            if kind == 0x10 && flags & 2 == 0 {
                let mut more = body.cursor();
                let address = widths.address(&mut more)?;
                let mut len = widths.length(&mut more)?;
                if claims {
                    self.structure(body.range(), "continuation")?;
                }
                let Some(address) = address else { continue };
                let mut at = self.place(address)?;
                if orders.is_some() {
                    self.signed(at, 5, b"OCHK", "the continuation of an object header")?;
                    if claims {
                        let end = at.saturating_add(len);
                        self.structure(at..at.saturating_add(4), "continuation of an object header")?;
                        self.structure(end.saturating_sub(4)..end, "checksum")?;
                    }
                    at = at.saturating_add(4);
                    len = len.saturating_sub(8);
                }
                parts.push((at, len));
                continue;
            }
            if messages.len() >= MOST {
                return Err(Stop::Exhausted(Limit::Claims));
            }
            messages.push(Message { kind, shared: flags & 2 != 0, body });
        }
        if claims {
            self.claim(cursor.at()..cursor.bytes().end(), Kind::Slack, "gap of an object header")?;
        }
        Ok(())
    }

    fn message(&mut self, message: &Message, object: &mut Object, path: &Rc<str>) -> Result<(), Stop> {
        let widths = self.widths;
        let stands_elsewhere = message.shared && matches!(message.kind, 0x01 | 0x03 | 0x04 | 0x05 | 0x0b | 0x0c);
        let body = match stands_elsewhere {
            true => &self.shared_message(message.kind, &message.body)?,
            false => &message.body,
        };
        match message.kind {
            // What was a message once.
            0x00 => self.claim(body.range(), Kind::Slack, "deleted message"),
            0x01 => {
                self.structure(body.range(), "dataspace")?;
                object.space = Some(Space::read(body, widths)?);
                Ok(())
            }
            0x02 => self.dense_links(body, path),
            0x03 => {
                self.datatype(body)?;
                object.kind = Some(Datatype::read(body)?);
                Ok(())
            }
            0x04 | 0x05 => self.claim(body.range(), Kind::Opaque, "fill value"),
            0x06 => self.link(body, path),
            0x07 => self.external_files(body, path),
            0x08 => {
                let layout = Layout::read(body, widths)?;
                let values =
                    if let Layout::Compact(values) = &layout { values.clone() } else { body.end()..body.end() };
                self.structure(body.start()..values.start, "layout")?;
                self.structure(values.end..body.end(), "layout")?;
                object.layout = Some(layout);
                Ok(())
            }
            0x0b => {
                self.structure(body.start()..body.start().saturating_add(2), "filter pipeline")?;
                self.claim(body.start().saturating_add(2)..body.end(), Kind::Slack, "filter parameters")?;
                for (id, range) in filters(body)? {
                    object.filters.push(id);
                    self.filter(id, range, path)?;
                }
                Ok(())
            }
            0x0c => self.attribute(body, path),
            0x0d => self.claim(body.range(), Kind::Slack, "comment"),
            0x11 => {
                self.structure(body.range(), "symbol table")?;
                let mut cursor = body.cursor();
                let tree = widths.address(&mut cursor)?;
                let heap = widths.address(&mut cursor)?;
                match (tree, heap) {
                    (Some(tree), Some(heap)) => self.symbol_table(tree, heap, path),
                    _ => Ok(()),
                }
            }
            0x14 => {
                self.structure(body.range(), "driver information")?;
                Err(Stop::unsupported(body.start(), "storage in several files"))
            }
            0x0f => self.shared_table(body, path),
            0x15 => self.dense_attributes(body, path),
            0x17 => self.free_space_info(body),
            0x18 => self.cache_image(body),
            // Group info, modification times, bogus, B-tree ranks, reference count.
            0x09 | 0x0a | 0x0e | 0x12 | 0x13 | 0x16 => self.structure(body.range(), "message"),
            _ => self.claim(body.range(), Kind::Slack, "message of an unknown kind"),
        }
    }

    /// Of a datatype, names of members and tags are room.
    fn datatype(&mut self, body: &Bytes) -> Result<(), Stop> {
        let fixed = body.start().saturating_add(8).min(body.end());
        self.structure(body.start()..fixed, "datatype")?;
        self.claim(fixed..body.end(), Kind::Slack, "members of a datatype")
    }

    /// One entry of a group.
    pub fn link(&mut self, body: &Bytes, path: &Rc<str>) -> Result<(), Stop> {
        let link = Link::read(body, self.widths)?;
        self.visit.count(link.target.name(), 1);
        let mut room = body.end()..body.end();
        let below = Self::below(path, &String::from_utf8_lossy(&link.name));
        match link.target {
            Target::Hard(Some(address)) => self.push(Task::Header { address, path: below })?,
            Target::Hard(None) | Target::Soft => {}
            Target::External(file) => self.reference(body.range(), "external link", &file, &below)?,
            Target::UserDefined(value) => room = value,
        }
        self.structure(body.start()..room.start, "link")?;
        self.structure(room.end..body.end(), "link")?;
        self.claim(room, Kind::Slack, "value of a user-defined link")
    }

    /// A name and a value.
    pub fn attribute(&mut self, body: &Bytes, path: &Rc<str>) -> Result<(), Stop> {
        let attribute = Attribute::read(body)?;
        self.visit.count("attribute", 1);
        self.structure(body.start()..attribute.kind.start(), "attribute")?;
        let kind = match attribute.kind_is_shared {
            true => self.shared_message(0x03, &attribute.kind)?,
            false => attribute.kind,
        };
        self.datatype(&kind)?;
        let space = match attribute.space_is_shared {
            true => self.shared_message(0x01, &attribute.space)?,
            false => attribute.space,
        };
        self.structure(space.range(), "dataspace")?;
        let (kind, space) = (Datatype::read(&kind)?, Space::read(&space, self.widths)?);
        let name = String::from_utf8_lossy(&attribute.name).into_owned();
        self.attribute_value(&name, path, kind, &space, &attribute.value)
    }

    /// Message 0x0002: links in a fractal heap.
    fn dense_links(&mut self, body: &Bytes, path: &Rc<str>) -> Result<(), Stop> {
        self.structure(body.range(), "link info")?;
        let mut cursor = body.cursor();
        let [_version, flags] = cursor.array("link info")?;
        if flags & 1 != 0 {
            cursor.u64_le("the highest creation order")?;
        }
        self.dense(cursor, flags & 2 != 0, path, true)
    }

    /// Message 0x0015: attributes in a fractal heap.
    fn dense_attributes(&mut self, body: &Bytes, path: &Rc<str>) -> Result<(), Stop> {
        self.structure(body.range(), "attribute info")?;
        let mut cursor = body.cursor();
        let [_version, flags] = cursor.array("attribute info")?;
        if flags & 1 != 0 {
            cursor.u16_le("the highest creation order")?;
        }
        self.dense(cursor, flags & 2 != 0, path, false)
    }

    fn dense(
        &mut self,
        mut cursor: crate::bytes::Cursor,
        ordered: bool,
        path: &Rc<str>,
        links: bool,
    ) -> Result<(), Stop> {
        let widths = self.widths;
        let heap = widths.address(&mut cursor)?;
        let names = widths.address(&mut cursor)?;
        let order = if ordered { widths.address(&mut cursor)? } else { None };
        let Some(heap_address) = heap else { return Ok(()) };
        let heap = Rc::new(self.fractal_heap(heap_address, path)?);
        if let Some(names) = names {
            let (heap, path) = (heap.clone(), path.clone());
            self.tree(names, Use::Names { heap, path, links }, heap_address)?;
        }
        if let Some(order) = order {
            self.tree(order, Use::Again, heap_address)?;
        }
        self.huge_objects(heap, heap_address)
    }

    /// Message 0x0007: the values are in other files.
    fn external_files(&mut self, body: &Bytes, path: &Rc<str>) -> Result<(), Stop> {
        self.structure(body.range(), "external data files")?;
        let widths = self.widths;
        let mut cursor = body.cursor();
        cursor.u32_le("a list of external files")?;
        cursor.u16_le("the number of slots")?;
        let used = cursor.u16_le("the number of external files")?;
        let at = cursor.at();
        let heap = widths.address(&mut cursor)?.ok_or(Stop::malformed(at, "the address of a heap"))?;
        let heap = self.local_heap(heap)?;
        for _ in 0..used {
            let start = cursor.at();
            let name = widths.length(&mut cursor)?;
            widths.length(&mut cursor)?;
            widths.length(&mut cursor)?;
            let (range, name) = self.heap_name(&heap, name)?;
            self.structure(range, "name")?;
            self.reference(start..cursor.at(), "external storage", &name, path)?;
            self.visit.count("external file", 1);
        }
        Ok(())
    }

    /// Message 0x0017: where the free-space managers are.
    fn free_space_info(&mut self, body: &Bytes) -> Result<(), Stop> {
        self.structure(body.range(), "file space info")?;
        let widths = self.widths;
        let mut cursor = body.cursor();
        let version = cursor.u8("the version of the file space info")?;
        let managers = match version {
            0 => {
                cursor.u8("the file space strategy")?;
                widths.length(&mut cursor)?;
                6
            }
            1 => {
                let [_strategy, persists] = cursor.array("the file space strategy")?;
                widths.length(&mut cursor)?;
                widths.length(&mut cursor)?;
                cursor.u16_le("the page end threshold")?;
                widths.address(&mut cursor)?;
                if persists == 0 { 0 } else { 12 }
            }
            _ => return Err(Stop::malformed(body.start(), "file space info of version 0 or 1")),
        };
        for _ in 0..managers {
            if cursor.remaining() < widths.offset as u64 {
                break;
            }
            if let Some(address) = widths.address(&mut cursor)? {
                let ended = self.free_space(address);
                self.carry_on(ended)?;
            }
        }
        Ok(())
    }

    /// The values of a dataset, once everything is known about them.
    fn values(&mut self, object: Object, address: u64, path: &Rc<str>) -> Result<(), Stop> {
        let Object { space, kind, layout: Some(layout), filters } = object else { return Ok(()) };
        let (space, kind) = match (space, kind) {
            (Some(space), Some(kind)) => (space, kind),
            _ => return Err(Stop::malformed(self.place(address)?, "a dataset with dataspace and datatype")),
        };
        for id in &filters {
            self.visit.count(built_in_name(*id), 1);
        }
        match layout {
            Layout::Compact(range) => self.dataset_value(path, kind, &space, range),
            Layout::Contiguous { address: None, .. } => Ok(()),
            Layout::Contiguous { address: Some(address), len } => {
                let len = len.unwrap_or_else(|| space.count().saturating_mul(kind.size));
                if len == 0 {
                    return Ok(());
                }
                let range = self.raw_range(address, len)?;
                self.dataset_value(path, kind, &space, range)
            }
            Layout::Chunked { address: None, .. } => Ok(()),
            Layout::Chunked { dims, index, address: Some(address) } => {
                let chunk_len = dims.iter().fold(1u64, |len, dim| len.saturating_mul(*dim));
                let one = space.dims.iter().zip(&dims).all(|(whole, part)| whole <= part);
                let whole = (one && Self::is_of_bytes(kind, &space) && Self::can_undo(&filters, kind))
                    .then(|| (path.clone(), !filters.is_empty()));
                let chunks = Rc::new(Chunks { dims: dims.len(), len: chunk_len, filtered: !filters.is_empty(), whole });
                match index {
                    Index::Tree1 => self.push(Task::ChunkNode { address, chunks }),
                    Index::Single(len) => self.chunk(address, len.unwrap_or(chunk_len), &chunks),
                    Index::Implicit => {
                        let sizes = space.most.iter().zip(&dims);
                        let count =
                            sizes.fold(1u64, |count, (most, dim)| count.saturating_mul(most.div_ceil((*dim).max(1))));
                        self.raw(address, count.saturating_mul(chunk_len))
                    }
                    Index::Fixed => self.fixed_array(address, &chunks),
                    Index::Extensible => self.extensible_array(address, &chunks),
                    Index::Tree2 => self.tree(address, Use::Chunks(chunks), 0),
                }
            }
            Layout::Virtual { address: None, .. } => Ok(()),
            Layout::Virtual { address: Some(heap), index } => {
                self.push(Task::Collection { address: heap })?;
                self.virtual_dataset(heap, index, path)
            }
        }
    }
}
