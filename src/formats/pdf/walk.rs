//! The walk: from the trailer along every reference, with the trigger under which an action is met; then over what no
//! reference leads to.
//!
//! ```text
//! catalog -> /OpenAction -> action -> /Next ...        opened
//!         -> /Names -> /JavaScript -> tree -> action   opened
//!         -> /AA, page -> /AA, field -> /AA            closed, saved, printed; shown, left; typed, pointed at
//!         -> ... /A                                    clicked
//! ```
//! An object is visited once for each trigger, so that loops end.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    document::{Document, Key},
    object::{Dictionary, Object, text},
    rules,
};
use crate::{
    follow::Follower,
    format::Visit,
    quote::quoted,
    reference::{Reach, Reference, classify},
    rule::Rule,
    rules::{REFERENCE_IS_SCRIPT, REFERENCE_TO_SERVER},
    sorting,
    stop::Stop,
};

/// What a stream is for, as the object that names it says.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// An attachment, by its name.
    Attached(String),
    /// Program text.
    Script,
    /// A piece of the description of a form.
    Form,
}

/// What the walk learned about the streams.
#[derive(Default)]
pub(super) struct Parts {
    /// By index among the objects of the document.
    pub streams: HashMap<usize, Part>,
    /// The pieces of forms, each form in its order.
    pub forms: Vec<Vec<usize>>,
}

/// When an action acts, the least by itself first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum When {
    Never,
    Clicked,
    Pointed,
    Typed,
    Activated,
    Closed,
    Saved,
    Printed,
    Left,
    Shown,
    Opened,
}

impl When {
    /// Whether nobody has to do anything with the page.
    fn is_by_itself(self) -> bool {
        self >= When::Closed
    }

    /// The start of a sentence that a verb continues.
    fn saying(self) -> &'static str {
        match self {
            When::Never => "Nothing in this document leads to it, but it holds an action that",
            When::Clicked => "When somebody clicks, this document",
            When::Pointed => "When the pointer or the keyboard reaches a field, this document",
            When::Typed => "While its form is filled in, this document",
            When::Activated => "When its 3D view is shown, this document",
            When::Closed => "When this document is closed, it",
            When::Saved => "When this document is saved, it",
            When::Printed => "When this document is printed, it",
            When::Left => "When a page of this document is left, it",
            When::Shown => "When a page of this document is shown, it",
            When::Opened => "When this document is opened, it",
        }
    }
}

/// What an object means by the way on which it was reached.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Context {
    Plain,
    /// An action, or several.
    Action(When),
    /// Actions by their triggers; of a page or of something else.
    Triggers {
        page: bool,
    },
    /// The names of the catalog.
    Names,
    /// The tree of the scripts that run first.
    Scripts,
    /// The dictionary of a file of form data.
    FormData,
    /// The scripts in it: plain text.
    FormScripts,
    /// A file that was told already.
    Told,
}

/// What an action does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Doing {
    Script,
    Program,
    Address,
    Send,
    Import,
    Document,
}

/// An action that was met.
struct Act {
    when: When,
    doing: Doing,
    what: String,
    /// The script as it stands.
    evidence: Option<String>,
    reference: Reference,
    place: Range<u64>,
}

/// Evidence read of one script.
const SCRIPT: usize = 64 << 10;

struct Walk<'a, 'v> {
    document: &'a Document,
    visit: &'a mut Visit<'v>,
    follower: Follower,
    parts: Parts,
    /// By the object and the number of the dictionary in it.
    acts: HashMap<(Key, usize), Act>,
    seen: HashSet<(Key, Context)>,
    waiting: Vec<(Key, Context)>,
    /// Whether the trailer leads here.
    reached: bool,
}

/// Walks over the document and tells what acts.
///
/// # Errors
/// Those of findings, source and budget.
pub(super) fn walk(visit: &mut Visit<'_>, document: &Document) -> Result<Parts, Stop> {
    let mut walk = Walk {
        document,
        visit,
        follower: Follower::default(),
        parts: Parts::default(),
        acts: HashMap::new(),
        seen: HashSet::new(),
        waiting: Vec::new(),
        reached: true,
    };
    for (index, (_, root)) in document.roots.iter().enumerate() {
        walk.look_through(Key::Root(index), root, Context::Plain)?;
    }
    for key in &document.catalogs {
        walk.seen.insert((*key, Context::Plain));
        walk.waiting.push((*key, Context::Plain));
    }
    walk.run()?;
    walk.reached = false;
    let reached: HashSet<Key> = walk.seen.iter().map(|(key, _)| *key).collect();
    for key in document.keys().filter(|key| !reached.contains(key)) {
        let object = document.object(key)?;
        walk.look_through(key, &object, Context::Plain)?;
        walk.waiting.clear();
    }
    walk.tell()?;
    Ok(walk.parts)
}

impl Walk<'_, '_> {
    fn run(&mut self) -> Result<(), Stop> {
        while let Some((key, context)) = self.waiting.pop() {
            let object = self.document.object(key)?;
            self.look_through(key, &object, context)?;
        }
        Ok(())
    }

    /// Looks at an object and everything in it; what it refers to waits.
    fn look_through(&mut self, key: Key, object: &Object, context: Context) -> Result<(), Stop> {
        let mut number = 0usize;
        let mut waiting = vec![(object, context)];
        while let Some((object, context)) = waiting.pop() {
            match object {
                Object::Dictionary(dictionary) => {
                    number = number.saturating_add(1);
                    self.look_at((key, number), dictionary, context)?;
                    let page = is_page(dictionary);
                    waiting.extend(dictionary.0.iter().map(|(name, value)| (value, within(context, name, page))));
                }
                Object::Array(values) => {
                    let context = match context {
                        Context::Names | Context::Triggers { .. } => Context::Plain,
                        other => other,
                    };
                    waiting.extend(values.iter().map(|value| (value, context)));
                }
                Object::Reference(_) => {
                    if let Some(next) = self.document.key_of(object) {
                        if context == Context::FormScripts {
                            number = number.saturating_add(1);
                            self.script((key, number), object, When::Opened)?;
                        }
                        if self.reached && self.seen.insert((next, context)) {
                            self.waiting.push((next, context));
                        }
                    }
                }
                Object::String(_) if context == Context::FormScripts => {
                    number = number.saturating_add(1);
                    self.script((key, number), object, When::Opened)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn look_at(&mut self, at: (Key, usize), dictionary: &Dictionary, context: Context) -> Result<(), Stop> {
        let when = match context {
            Context::Action(when) => when,
            Context::Scripts => When::Opened,
            _ => When::Never,
        };
        if let Some(kind) = dictionary.get(b"S").map(|kind| self.document.resolved(kind)).transpose()?
            && let Some(kind) = kind.name()
        {
            self.action(at, dictionary, kind, when)?;
        }
        for (key, value) in &dictionary.0 {
            match key.as_slice() {
                b"EF" => self.attachment(dictionary, value)?,
                b"XFA" => self.form(value)?,
                b"FontMatrix" => self.font_matrix(at, value)?,
                b"OnInstantiate" => self.script(at, value, When::Activated)?,
                b"Ref" | b"OPI" => self.elsewhere(at, value)?,
                b"FDF" => self.form_data(at, value)?,
                b"FS" if value.name() == Some(b"URL") && !matches!(context, Context::Told) => {
                    self.address(at, dictionary)?;
                }
                _ => {}
            }
        }
        let is_stream = matches!(at, (Key::Placed(index), 1) if self.document.objects.get(index).is_some_and(|placed| placed.is_stream()));
        if let Some(file) = dictionary.get(b"F").filter(|_| is_stream) {
            self.told_elsewhere(at, file)?;
        }
        if dictionary.is(b"Subtype", b"RichMedia") || dictionary.is(b"Subtype", b"3D") && dictionary.has(b"Rect") {
            let place = self.document.place(at.0);
            let kind = dictionary.get(b"Subtype").and_then(Object::name).unwrap_or_default();
            let message = format!("An annotation of kind {} stands on a page.", quoted(&text(kind)));
            self.follower.tell(self.visit, &rules::MEDIA_PLAYER, place, "", message)?;
        }
        Ok(())
    }

    fn action(&mut self, at: (Key, usize), dictionary: &Dictionary, kind: &[u8], when: When) -> Result<(), Stop> {
        let doing = match kind {
            b"JavaScript" | b"Rendition" => {
                return dictionary.get(b"JS").map_or(Ok(()), |script| self.script(at, script, when));
            }
            b"Launch" => Doing::Program,
            b"URI" => Doing::Address,
            b"SubmitForm" => Doing::Send,
            b"ImportData" => Doing::Import,
            b"GoToR" | b"GoToE" | b"Thread" => Doing::Document,
            _ => return Ok(()),
        };
        let what = match doing {
            Doing::Address => dictionary.get(b"URI").map(|address| self.document.resolved(address)).transpose()?,
            _ => self.file_of(dictionary)?,
        };
        let what = what.as_ref().and_then(Object::string).map(text);
        // An action without a file stays in the document.
        if what.is_none() && matches!(doing, Doing::Document | Doing::Address) {
            return Ok(());
        }
        let what = what.unwrap_or_default();
        let reference = classify(&what);
        let place = self.document.place(at.0);
        self.keep(at, Act { when, doing, what, evidence: None, reference, place });
        Ok(())
    }

    /// The name or address of the file that an action concerns: as a string, in a file specification, or for one system.
    fn file_of(&self, dictionary: &Dictionary) -> Result<Option<Object>, Stop> {
        let mut dictionary = dictionary.clone();
        for _ in 0..4 {
            let mut next = None;
            for key in [b"UF".as_slice(), b"F", b"Win", b"Unix", b"Mac", b"DOS"] {
                let Some(value) = dictionary.get(key) else { continue };
                match self.document.resolved(value)? {
                    string @ Object::String(_) => return Ok(Some(string)),
                    Object::Dictionary(inner) => next = next.or(Some(inner)),
                    _ => {}
                }
            }
            match next {
                Some(inner) => dictionary = inner,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn script(&mut self, at: (Key, usize), script: &Object, when: When) -> Result<(), Stop> {
        let source = match self.document.stream_of(script) {
            Some(index) => {
                self.parts.streams.insert(index, Part::Script);
                self.document.start_of_content(index, SCRIPT)?
            }
            None => match self.document.resolved(script)? {
                Object::String(string) => string,
                _ => return Ok(()),
            },
        };
        let script = match self.document.encrypted {
            Some(_) => "(encrypted)".to_string(),
            None => text(&source),
        };
        let what: Vec<&str> = script.split_whitespace().collect();
        if what.is_empty() {
            return Ok(());
        }
        let (what, place) = (what.join(" "), self.document.place(at.0));
        let (doing, reference) = (Doing::Script, classify(""));
        self.keep(at, Act { when, doing, what, evidence: Some(script), reference, place });
        Ok(())
    }

    /// Keeps an action under the trigger that acts most by itself.
    fn keep(&mut self, at: (Key, usize), act: Act) {
        let act = if self.reached { act } else { Act { when: When::Never, ..act } };
        match self.acts.get_mut(&at) {
            Some(kept) if kept.when >= act.when => {}
            Some(kept) => *kept = act,
            None => {
                self.acts.insert(at, act);
            }
        }
    }

    fn attachment(&mut self, specification: &Dictionary, files: &Object) -> Result<(), Stop> {
        let name = self.file_of(specification)?;
        let name = name.as_ref().and_then(Object::string).map(text).unwrap_or_else(|| "attachment".to_string());
        let files = self.document.resolved(files)?;
        for (_, file) in &files.dictionary().unwrap_or(&Dictionary::default()).0 {
            if let Some(index) = self.document.stream_of(file) {
                self.parts.streams.insert(index, Part::Attached(name.clone()));
            }
        }
        Ok(())
    }

    fn form(&mut self, value: &Object) -> Result<(), Stop> {
        let pieces = match (self.document.stream_of(value), self.document.resolved(value)?) {
            (Some(index), _) => vec![index],
            (None, Object::Array(values)) => values.iter().filter_map(|value| self.document.stream_of(value)).collect(),
            _ => Vec::new(),
        };
        let fresh: Vec<usize> = pieces.into_iter().filter(|index| !self.parts.streams.contains_key(index)).collect();
        self.parts.streams.extend(fresh.iter().map(|index| (*index, Part::Form)));
        if !fresh.is_empty() {
            self.parts.forms.push(fresh);
        }
        Ok(())
    }

    fn font_matrix(&mut self, at: (Key, usize), value: &Object) -> Result<(), Stop> {
        let Object::Array(values) = self.document.resolved(value)? else { return Ok(()) };
        for value in values {
            let value = self.document.resolved(&value)?;
            if let Object::String(string) = value {
                let message = format!("The matrix of a font holds {}.", quoted(&text(&string)));
                let place = self.document.place(at.0);
                self.follower.tell(self.visit, &rules::FONT_MATRIX, place, "", message)?;
            }
        }
        Ok(())
    }

    /// A picture or a page that is in another file: a reference XObject, or a high-resolution version for printing.
    fn elsewhere(&mut self, at: (Key, usize), value: &Object) -> Result<(), Stop> {
        let value = self.document.resolved(value)?;
        let Some(dictionary) = value.dictionary() else { return Ok(()) };
        if dictionary.has(b"F") {
            return self.told_elsewhere(at, &value);
        }
        for (_, version) in &dictionary.0 {
            let version = self.document.resolved(version)?;
            if version.dictionary().is_some_and(|version| version.has(b"F")) {
                self.told_elsewhere(at, &version)?;
            }
        }
        Ok(())
    }

    /// Tells of content in the file that `file` names.
    fn told_elsewhere(&mut self, at: (Key, usize), file: &Object) -> Result<(), Stop> {
        let file = match self.document.resolved(file)? {
            Object::Dictionary(dictionary) => self.file_of(&dictionary)?,
            other => Some(other),
        };
        let Some(name) = file.as_ref().and_then(Object::string).map(text) else { return Ok(()) };
        let reference = classify(&name);
        let host = reference.host.clone().unwrap_or_default();
        let rule: &'static Rule =
            if reference.connects() && self.reached { &rules::CONTACT_ON_OPEN } else { &rules::CONTENT_ELSEWHERE };
        let message = format!("A part of this document is in {}, which {}.", quoted(&name), reference.saying());
        self.follower.tell(self.visit, rule, self.document.place(at.0), &host, message)
    }

    /// A file specification that is an address, outside of actions.
    fn address(&mut self, at: (Key, usize), dictionary: &Dictionary) -> Result<(), Stop> {
        let address = dictionary.get(b"F").map(|address| self.document.resolved(address)).transpose()?;
        let Some(address) = address.as_ref().and_then(Object::string).map(text) else { return Ok(()) };
        let host = classify(&address).host.unwrap_or_default();
        let message = format!("A file specification is the address {}.", quoted(&address));
        self.follower.tell(self.visit, &REFERENCE_TO_SERVER, self.document.place(at.0), &host, message)
    }

    /// A file of form data opens the form that it belongs to.
    fn form_data(&mut self, at: (Key, usize), value: &Object) -> Result<(), Stop> {
        let value = self.document.resolved(value)?;
        let Some(file) = value.dictionary().map(|data| self.file_of(data)).transpose()?.flatten() else {
            return Ok(());
        };
        let what = file.string().map(text).unwrap_or_default();
        let reference = classify(&what);
        let place = self.document.place(at.0);
        let (when, doing) = (When::Opened, Doing::Document);
        self.keep(at, Act { when, doing, what, evidence: None, reference, place });
        Ok(())
    }

    /// Tells of the actions in the order of the file.
    fn tell(&mut self) -> Result<(), Stop> {
        let mut acts: Vec<((Key, usize), Act)> = std::mem::take(&mut self.acts).into_iter().collect();
        sorting::by_key(&mut acts, |(at, _)| *at);
        for (_, act) in acts {
            let Some(rule) = rule_of(&act) else { continue };
            let does = match act.doing {
                Doing::Script => "runs a script",
                Doing::Program => "starts a program or opens a file with one",
                Doing::Address => "opens an address",
                Doing::Send => "sends the fields of its form to an address",
                Doing::Import => "reads the fields of its form from a file",
                Doing::Document => "opens another document",
            };
            let message = format!("{} {does}: {}.", act.when.saying(), quoted(&act.what));
            // Computers are told one by one, scripts and programs as they come.
            let host = act.reference.host.unwrap_or_default();
            self.follower.tell_with(self.visit, rule, act.place, &host, message, act.evidence)?;
        }
        Ok(())
    }
}

/// What an action means; `None` for a link that somebody has to click.
fn rule_of(act: &Act) -> Option<&'static Rule> {
    let by_itself = act.when.is_by_itself();
    match act.doing {
        Doing::Script if act.when >= When::Shown => Some(&rules::SCRIPT_ON_OPEN),
        Doing::Script if by_itself => Some(&rules::SCRIPT_ON_EVENT),
        Doing::Script if act.when == When::Never => Some(&rules::SCRIPT_UNUSED),
        Doing::Script => Some(&rules::SCRIPT_ON_USE),
        Doing::Program if by_itself => Some(&rules::PROGRAM_ON_OPEN),
        Doing::Program => Some(&rules::PROGRAM_ON_USE),
        Doing::Address if act.reference.reach == Reach::Script => Some(&REFERENCE_IS_SCRIPT),
        Doing::Document if by_itself && !act.reference.leaves_folder() => None,
        Doing::Address | Doing::Send | Doing::Import | Doing::Document if by_itself => Some(&rules::CONTACT_ON_OPEN),
        Doing::Send | Doing::Import => Some(&rules::FORM_SENT),
        Doing::Document if act.reference.reach == Reach::Unc => Some(&REFERENCE_TO_SERVER),
        Doing::Address | Doing::Document => None,
    }
}

/// What the value under a key means.
fn within(context: Context, key: &[u8], page: bool) -> Context {
    match (context, key) {
        (Context::Triggers { page }, trigger) => trigger_of(trigger, page).map_or(Context::Plain, Context::Action),
        (Context::Names, b"JavaScript") => Context::Scripts,
        (Context::Scripts, b"Kids" | b"Names") => Context::Scripts,
        (Context::Scripts, b"Next") => Context::Action(When::Opened),
        (Context::Action(when), b"Next") => Context::Action(when),
        (Context::Action(_), b"F" | b"UF") => Context::Told,
        (Context::FormData, b"JavaScript") | (Context::FormScripts, _) => Context::FormScripts,
        (_, b"OpenAction") => Context::Action(When::Opened),
        (_, b"AA") => Context::Triggers { page },
        (_, b"A" | b"PA") => Context::Action(When::Clicked),
        (_, b"Names") => Context::Names,
        (_, b"FDF") => Context::FormData,
        _ => Context::Plain,
    }
}

/// The trigger events of documents, pages, annotations and fields (12.6.3).
fn trigger_of(trigger: &[u8], page: bool) -> Option<When> {
    Some(match trigger {
        b"WC" => When::Closed,
        b"WS" | b"DS" => When::Saved,
        b"WP" | b"DP" => When::Printed,
        b"O" | b"PO" | b"PV" => When::Shown,
        b"C" if page => When::Left,
        b"PC" | b"PI" => When::Left,
        b"K" | b"F" | b"V" | b"C" => When::Typed,
        b"E" | b"X" | b"D" | b"U" | b"Fo" | b"Bl" => When::Pointed,
        _ => return None,
    })
}

/// Whether a dictionary is one of a page: its trigger "C" is not that of a field.
fn is_page(dictionary: &Dictionary) -> bool {
    let drawn = dictionary.has(b"Contents") || dictionary.has(b"MediaBox") || dictionary.has(b"Resources");
    dictionary.is(b"Type", b"Page") || (drawn && !dictionary.has(b"Subtype") && !dictionary.has(b"FT"))
}
