//! The rules of the reader of PDF.

use crate::rule::{Guideline, Rule, Runs, Severity};

const SPECIFICATION: &str = "https://pdfa.org/resource/iso-32000-2/";

/// A script at once.
pub(super) static SCRIPT_ON_OPEN: Rule = Rule {
    id: "pdf-script-on-open",
    title: "This document runs a script when it is opened",
    why: "The document carries program text and asks the viewer to run it as soon as the document or one of its pages is \
          shown. Nobody has to click.",
    advice: "Open it only in a viewer that runs no scripts, or ask the sender for a document without them.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[SPECIFICATION, "https://attack.mitre.org/techniques/T1204/002/"],
};

/// A script at an event that comes by itself.
pub(super) static SCRIPT_ON_EVENT: Rule = Rule {
    id: "pdf-script-on-event",
    title: "This document runs a script when it is closed, saved or printed",
    why: "The document carries program text and asks the viewer to run it at something that everybody does with a \
          document sooner or later.",
    advice: "Open it only in a viewer that runs no scripts, or ask the sender for a document without them.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &[SPECIFICATION],
};

/// A script that waits for somebody.
pub(super) static SCRIPT_ON_USE: Rule = Rule {
    id: "pdf-script-on-use",
    title: "This document carries a script that runs when somebody uses it",
    why: "Forms use scripts to check what is typed in. The same scripts can do anything that the viewer lets them do.",
    advice: "Fill it in only if you trust who made it, or in a viewer that runs no scripts.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// A script that nothing starts.
pub(super) static SCRIPT_UNUSED: Rule = Rule {
    id: "pdf-script-unused",
    title: "A script stands in this document that nothing in it starts",
    why: "It is a rest of an earlier version, or it waits for a viewer that reads the document in another way.",
    advice: "Ask the sender for a document that was saved anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// A program at once.
pub(super) static PROGRAM_ON_OPEN: Rule = Rule {
    id: "pdf-starts-program-on-open",
    title: "This document asks to start a program by itself",
    why: "A launch action stands where nobody has to click. It names a program, or a file that a program opens.",
    advice: "Do not open it. If a viewer asks whether to start something, say no.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[SPECIFICATION, "https://attack.mitre.org/techniques/T1204/002/"],
};

/// A program on a click.
pub(super) static PROGRAM_ON_USE: Rule = Rule {
    id: "pdf-starts-program",
    title: "This document carries an action that starts a program",
    why: "A launch action names a program, or a file that a program opens. It acts when somebody clicks, if at all.",
    advice: "Do not click it. If a viewer asks whether to start something, say no.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// Contact at once.
pub(super) static CONTACT_ON_OPEN: Rule = Rule {
    id: "pdf-contact-on-open",
    title: "This document contacts a server or reads another file by itself",
    why: "An action that sends, fetches or opens something stands where nobody has to click: who runs the server learns \
          who opens the document, and when.",
    advice: "Open it without a network connection, or ask the sender for a document without such actions.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[SPECIFICATION],
};

/// Content from elsewhere.
pub(super) static CONTENT_ELSEWHERE: Rule = Rule {
    id: "pdf-content-elsewhere",
    title: "A part of this document is in another file",
    why: "The document names a file or an address in the place of content of its own. A viewer that follows it reads \
          that file, whatever it is, or contacts that server.",
    advice: "Ask the sender for a document that contains everything.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// A form that is sent.
pub(super) static FORM_SENT: Rule = Rule {
    id: "pdf-form-sent",
    title: "This document sends what is typed into it to a server",
    why: "An action sends the fields of the form, or reads them from a file, when somebody clicks.",
    advice: "Look at the address before you type anything in.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// An attachment.
pub(super) static FILE_ATTACHED: Rule = Rule {
    id: "pdf-file-attached",
    title: "A file is attached to this document",
    why: "A viewer shows it in a list or on a page and opens it on a click. The check looked into it as well.",
    advice: "Open the attachment only if you expected one: see the findings inside.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// Media with a player.
pub(super) static MEDIA_PLAYER: Rule = Rule {
    id: "pdf-media-player",
    title: "This document carries content for a player inside the viewer",
    why: "Rich media and 3D content is run by a player of its own, and may carry scripts. Few viewers still have one.",
    advice: "Look at it in a viewer without such a player, if you do not need the content.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// Text in a matrix.
pub(super) static FONT_MATRIX: Rule = Rule {
    id: "pdf-font-matrix-text",
    title: "A font of this document carries text where only numbers belong",
    why: "The matrix of a font is six numbers. A viewer that makes program text of them runs what stands there instead.",
    advice: "Do not open it in a browser. Tell the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://cwe.mitre.org/data/definitions/94.html"],
};
