//! The rules that no single format owns: they follow from what was recognised and from what nothing explains.

use crate::{
    reference::{Reach, Reference},
    rule::{Guideline, Rule, Runs, Severity},
};

/// The file itself is a program.
pub static PROGRAM: Rule = Rule {
    id: "program",
    title: "This file is a program",
    why: "It is not data: the operating system or a runtime starts it when it is opened.",
    advice: "Do not open it unless you meant to get a program and trust who made it.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://attack.mitre.org/techniques/T1204/002/"],
};

/// A file that is data and a program at once.
pub static PROGRAM_AND_DATA: Rule = Rule {
    id: "program-and-data",
    title: "This file is data and a program at the same time",
    why: "A data viewer shows an image or a table, but the operating system starts the same bytes as a program.",
    advice: "Do not open it by any other means than the intended viewer; ask the sender for a clean copy.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2019-11687"],
};

/// A program where no file format leaves room for one.
pub static PROGRAM_HIDDEN: Rule = Rule {
    id: "program-hidden",
    title: "A program is hidden in this file",
    why: "A whole program stands in bytes that the file format does not explain. Nobody puts it there by accident.",
    advice: "Do not use the file. Tell the sender, and keep it for whoever looks into it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &["https://attack.mitre.org/techniques/T1027/009/"],
};

/// A program that the format around it declares as a member.
pub static PROGRAM_INSIDE: Rule = Rule {
    id: "program-inside",
    title: "A program is packed in this file",
    why: "One of the parts of this file is a program. It does not run by itself, but somebody may start it.",
    advice: "Do not start it unless you meant to get a program and trust who made it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[],
};

/// A program among opaque bytes.
pub static PROGRAM_IN_OPAQUE: Rule = Rule {
    id: "program-in-opaque",
    title: "What looks like a whole program stands among the raw values",
    why: "A valid program header stands inside values that this check does not interpret, such as pixels or weights. \
          Nothing runs it when the file is opened.",
    advice: "Ask the sender. If the values are an image, look whether that part of it is noise.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://attack.mitre.org/techniques/T1027/003/"],
};

/// A script that is the file itself, or a member.
pub static SCRIPT: Rule = Rule {
    id: "script",
    title: "This is a script: text that an interpreter runs",
    why: "It is program text, and it names the interpreter that runs it. Some systems start it with a double click.",
    advice: "Read it before you run it. As data it has no use.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[],
};

/// A script in bytes that nothing explains, or at the start of a data file.
pub static SCRIPT_HIDDEN: Rule = Rule {
    id: "script-hidden",
    title: "A script is hidden in this file",
    why: "Program text stands where the file format does not expect any, at a place where an interpreter would find it.",
    advice: "Do not use the file. Tell the sender, and keep it for whoever looks into it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &["https://attack.mitre.org/techniques/T1027/009/"],
};

/// A file of another format where no room for one is left.
pub static FILE_HIDDEN: Rule = Rule {
    id: "file-hidden",
    title: "Another file is hidden in this file",
    why: "A whole file of another format stands in bytes that the format of this file does not explain.",
    advice: "Ask the sender what it is for. The check looked into it as well: see the findings inside.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[],
};

/// A file of another format among opaque bytes.
pub static FILE_IN_OPAQUE: Rule = Rule {
    id: "file-in-opaque",
    title: "What looks like another file stands among the raw values",
    why: "The start of another file was found inside values that this check does not interpret. It is often chance or a \
          vendor's habit; the check looked into it as well.",
    advice: "Nothing to do, unless there is a finding inside it.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &[],
};

/// Two formats at once.
pub static TWO_FORMATS: Rule = Rule {
    id: "two-formats",
    title: "This file is two kinds of file at the same time",
    why: "Different programs will see different things in the same bytes. That is how content gets past a check.",
    advice: "Ask the sender for a plain file, or convert it with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://en.wikipedia.org/wiki/Polyglot_(computing)"],
};

/// Bytes with no owner.
pub static UNEXPLAINED_BYTES: Rule = Rule {
    id: "unexplained-bytes",
    title: "This file carries bytes that its format does not explain",
    why: "A program that reads the file passes over them. They may be anything: rests, a vendor's notes, or something hidden.",
    advice: "If the file matters, ask the sender what they are, or write it anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[],
};

/// A name that says another format than the content.
pub static NAME_LIES: Rule = Rule {
    id: "name-lies",
    title: "The name says another kind of file than the content",
    why: "The ending of the name belongs to another format. Programs that go by the name and programs that go by the \
          content will treat it differently.",
    advice: "Ask the sender what it is. Rename it if you know.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://attack.mitre.org/techniques/T1036/008/"],
};

/// A name that leaves out that the content is packed.
pub static NAME_LEAVES_OUT_PACKING: Rule = Rule {
    id: "name-leaves-out-packing",
    title: "The name does not say that the content is packed",
    why: "The content is compressed or archived, and the name is that of what may be inside. Some programs unpack such \
          files by themselves. The check looked into it as well.",
    advice: "Nothing to do, unless there is a finding inside it.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &[],
};

/// No byte at all.
pub static EMPTY: Rule = Rule {
    id: "empty",
    title: "This file is empty",
    why: "There is nothing in it that could run, and nothing to read either.",
    advice: "If you expected content, ask the sender again.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &[],
};

/// A stored name that leads out of the folder in which an archive is unpacked.
pub static NAME_LEAVES_FOLDER: Rule = Rule {
    id: "name-leaves-folder",
    title: "A name in this archive points to another folder",
    why: "Programs that unpack it without care write outside the chosen folder, over settings or programs.",
    advice: "Do not unpack it, or only with a program that refuses such names. Tell the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/22.html"],
};

/// A stored link that leads out of the folder in which an archive is unpacked.
pub static LINK_LEAVES_FOLDER: Rule = Rule {
    id: "link-leaves-folder",
    title: "A link in this archive points to another folder",
    why: "Unpacked, the link stands for a file of this computer: reading it gives that file away, writing to it changes it.",
    advice: "Do not unpack it, or only with a program that refuses such links. Tell the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/59.html"],
};

/// An entry stored below a name that is a link.
pub static ENTRY_BEHIND_LINK: Rule = Rule {
    id: "entry-behind-link",
    title: "A file in this archive is to be written through a link",
    why: "The archive first makes a link and then uses it as a folder: what follows is written wherever the link points.",
    advice: "Do not unpack it, or only with a program that refuses this. Tell the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/59.html"],
};

/// A file stored under no name.
pub static ENTRY_WITHOUT_NAME: Rule = Rule {
    id: "entry-without-name",
    title: "A file in this archive has no name",
    why: "Programs that unpack the archive pass over it or fail: bytes that nobody is meant to unpack are hidden in it.",
    advice: "Ask the sender what it is for. The check looked into it as well: see the findings inside.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[],
};

/// A stored name with characters that nobody sees.
pub static NAME_DECEIVES: Rule = Rule {
    id: "name-deceives",
    title: "A name in this archive holds characters that you cannot see",
    why: "Control characters and marks that turn the writing direction make a name look like another one.",
    advice: "Go by the name as it is shown here, not as a file manager shows it.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://attack.mitre.org/techniques/T1036/002/"],
};

/// A reference out of the folder, in a format whose parts stand beside it.
pub static REFERENCE_LEAVES_FOLDER: Rule = Rule {
    id: "reference-leaves-folder",
    title: "This file reads another file outside its folder",
    why: "A part of the content is said to be in a file somewhere else on this computer. A program that follows the \
          reference reads that file, whatever it is, when this one is opened.",
    advice: "Put all parts into one folder, or ask the sender why it points elsewhere.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/22.html"],
};

/// The rule about a reference to a part of the content that the format keeps in the same folder; none for a file
/// nearby. Formats whose parts usually stand in folders side by side use [`crate::follow`].
pub fn of_reference(reference: &Reference) -> Option<&'static Rule> {
    match reference.reach {
        Reach::Unc | Reach::Remote => Some(&REFERENCE_TO_SERVER),
        Reach::Absolute => Some(&REFERENCE_BY_WHOLE_PATH),
        Reach::Script => Some(&REFERENCE_IS_SCRIPT),
        Reach::Parent => Some(&REFERENCE_LEAVES_FOLDER),
        Reach::SameFile | Reach::Embedded | Reach::Sibling | Reach::Below | Reach::Other => None,
    }
}

/// A reference a little above the folder of the file.
pub static REFERENCE_ABOVE: Rule = Rule {
    id: "reference-above",
    title: "This file reads another file from the folder above",
    why: "Data sets are often kept in several folders side by side, so this is usual. The other file is no part of what \
          was checked.",
    advice: "Nothing to do. Check the other file as well if you got it from the same sender.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://cwe.mitre.org/data/definitions/23.html"],
};

/// A reference by a whole path.
pub static REFERENCE_BY_WHOLE_PATH: Rule = Rule {
    id: "reference-by-whole-path",
    title: "This file reads another file by its whole path",
    why: "The path leads to a place on the computer of whoever opens the file, not to a part of the data set. What \
          stands there becomes part of what is shown, saved, or sent on.",
    advice: "If you made the file yourself, save it again with its parts beside it. If not, ask the sender.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/36.html"],
};

/// A reference far above the folder of the file.
pub static REFERENCE_FAR_ABOVE: Rule = Rule {
    id: "reference-far-above",
    title: "This file reads another file from far above its own folder",
    why: "The path climbs out of every folder in which a data set is kept, to a place on the computer of whoever opens \
          the file. What stands there becomes part of what is shown, saved, or sent on.",
    advice: "Do not open it unless you know why it should read that file.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/23.html"],
};

/// Program text where an address belongs.
pub static REFERENCE_IS_SCRIPT: Rule = Rule {
    id: "reference-is-script",
    title: "This file carries program text where an address belongs",
    why: "Where a web view follows the address, it runs the program text instead.",
    advice: "Do not open it in a browser or a program that shows web content.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/83.html"],
};

/// A reference to another computer.
pub static REFERENCE_TO_SERVER: Rule = Rule {
    id: "reference-to-server",
    title: "This file names content on another computer",
    why: "A program that opens the file fetches that content: the other computer learns who opens it and when, and it \
          can answer with anything.",
    advice: "Open it without a network connection, or ask the sender for a file that contains everything.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/829.html"],
};

/// Rich text with program text.
pub static RICH_TEXT_CARRIES_SCRIPT: Rule = Rule {
    id: "rich-text-carries-script",
    title: "A text in this file carries a script",
    why: "The text is written in HTML and contains program text. A program that shows it as a web page without cleaning \
          it runs that.",
    advice: "Look at the text before you show it. A label or a description has no use for a script.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/79.html"],
};

/// Rich text that loads something from another computer.
pub static RICH_TEXT_LOADS: Rule = Rule {
    id: "rich-text-loads-from-server",
    title: "A text in this file loads something from another computer when it is shown",
    why: "The text is written in HTML and shows a picture, a frame or a style from a server: who runs the server learns \
          who shows the text and when.",
    advice: "Open it without a network connection, or remove the address from the text.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/829.html"],
};

/// A document type declaration in a format that has none.
pub static DOCTYPE_UNEXPECTED: Rule = Rule {
    id: "doctype-unexpected",
    title: "This file has a document type declaration, which no program writes into files of its kind",
    why: "Such a declaration can make a reader of XML fetch other files, or fill its memory. Files of this kind have no \
          use for it.",
    advice: "Ask the sender how the file was made.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/611.html"],
};

/// HTML or XML that runs, in a text value.
pub static ACTIVE_MARKUP_IN_TEXT: Rule = Rule {
    id: "active-markup-in-text",
    title: "A text in this file is a web page fragment with script in it",
    why: "Viewers and archives that show the text in a browser without care would run the script.",
    advice: "Do not show the text in a web page. Ask the sender how it got there.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/79.html"],
};

/// A spreadsheet formula as a text value.
pub static FORMULA_IN_TEXT: Rule = Rule {
    id: "formula-in-text",
    title: "A text in this file is a spreadsheet formula",
    why: "When the text is exported to a table, a spreadsheet program computes it: it may start programs or contact servers.",
    advice: "Do not export the text to a table before it is corrected.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://owasp.org/www-community/attacks/CSV_Injection"],
};

/// Program text as an element's value.
pub static PROGRAM_TEXT_IN_VALUE: Rule = Rule {
    id: "program-text-in-value",
    title: "A value in this file is program text",
    why: "Nothing runs it when the file is opened, but a program that knows the place can. Data has no use for it.",
    advice: "Ask the sender what it is for.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[],
};

/// A content of another type than the one that is given beside it.
pub static DOCUMENT_TYPE_LIES: Rule = Rule {
    id: "document-type-lies",
    title: "The document in this file is not what the file says",
    why: "The file names one type of document and carries another. Viewers hand it to the program for the named type, \
          or store it under that ending.",
    advice: "Do not open the document. Ask the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.rfc-editor.org/rfc/rfc2045#section-5"],
};

/// All of the above, sorted by id.
pub static SHARED: &[&Rule] = &[
    &ACTIVE_MARKUP_IN_TEXT,
    &DOCTYPE_UNEXPECTED,
    &DOCUMENT_TYPE_LIES,
    &EMPTY,
    &ENTRY_BEHIND_LINK,
    &ENTRY_WITHOUT_NAME,
    &FILE_HIDDEN,
    &FILE_IN_OPAQUE,
    &FORMULA_IN_TEXT,
    &LINK_LEAVES_FOLDER,
    &NAME_DECEIVES,
    &NAME_LEAVES_FOLDER,
    &NAME_LEAVES_OUT_PACKING,
    &NAME_LIES,
    &PROGRAM,
    &PROGRAM_AND_DATA,
    &PROGRAM_HIDDEN,
    &PROGRAM_IN_OPAQUE,
    &PROGRAM_INSIDE,
    &PROGRAM_TEXT_IN_VALUE,
    &REFERENCE_ABOVE,
    &REFERENCE_BY_WHOLE_PATH,
    &REFERENCE_FAR_ABOVE,
    &REFERENCE_IS_SCRIPT,
    &REFERENCE_LEAVES_FOLDER,
    &REFERENCE_TO_SERVER,
    &RICH_TEXT_CARRIES_SCRIPT,
    &RICH_TEXT_LOADS,
    &SCRIPT,
    &SCRIPT_HIDDEN,
    &TWO_FORMATS,
    &UNEXPLAINED_BYTES,
    &crate::folder::VALUES_OF_HEADER,
];
