//! The statements that define tables, indexes, views and triggers: what they call.
//!
//! The text is cut into tokens as SQLite does; a name counts as called where an expression may stand and a parenthesis
//! follows. What a name in a text or a comment says is nothing.

use crate::{follow::Follower, format::Visit, quote::quoted, stop::Stop};
use std::ops::Range;

use super::{CALLS_OUT, TRIGGER, UNKNOWN_MODULE};

/// What is told of all statements of one database.
#[derive(Default)]
pub(super) struct Statements {
    follower: Follower,
}

impl Statements {
    /// Judges one statement, whose text stands at `range`. `name` is that of what it defines.
    pub fn judge(&mut self, visit: &mut Visit<'_>, range: Range<u64>, name: &str, sql: &str) -> Result<(), Stop> {
        let tokens = tokens(sql);
        let defines = tokens.first().is_some_and(|token| token.is("create"));
        if !defines {
            visit.note(Stop::malformed(range.start, "a CREATE statement"));
            return Ok(());
        }
        if let Some((module, arguments)) = virtual_table(&tokens) {
            return self.judge_module(visit, range, name, module, arguments);
        }
        let mut called: Vec<&'static str> = Vec::new();
        for (function, does) in calls(&tokens) {
            if !called.contains(&function) {
                called.push(function);
                let message = format!("{} calls {function}, which {does}.", quoted(name));
                self.follower.tell(visit, &CALLS_OUT, range.clone(), "", message)?;
            }
        }
        let is_trigger = tokens.iter().take(3).any(|token| token.is("trigger"));
        if is_trigger && called.is_empty() {
            self.follower.tell(visit, &TRIGGER, range, "", format!("The trigger {}.", quoted(name)))?;
        }
        Ok(())
    }

    fn judge_module(
        &mut self,
        visit: &mut Visit<'_>,
        range: Range<u64>,
        name: &str,
        module: &str,
        arguments: &[Token],
    ) -> Result<(), Stop> {
        let module = module.to_ascii_lowercase();
        if MODULES_OF_FILES.contains(&module.as_str()) {
            let subject = format!("The table {} of the module {module} reads a file, which", quoted(name));
            if let Some(file) = file_argument(arguments) {
                self.follower.follow(visit, range, &subject, file)?;
            }
            return Ok(());
        }
        if MODULES.contains(&module.as_str()) {
            return Ok(());
        }
        let message = format!("The table {} needs the module {}.", quoted(name), quoted(&module));
        self.follower.tell(visit, &UNKNOWN_MODULE, range, "", message)
    }
}

/// Functions that reach out of the database, and what they do.
const FUNCTIONS: &[(&str, &str)] = &[
    ("edit", "starts an editor program"),
    ("eval", "runs any other statement"),
    ("fsdir", "reads folders of this computer"),
    ("fts3_tokenizer", "sets an address of program code"),
    ("http_do", "contacts a server"),
    ("http_get", "contacts a server"),
    ("http_get_body", "contacts a server"),
    ("http_post", "contacts a server"),
    ("http_post_body", "contacts a server"),
    ("load_extension", "loads a program library"),
    ("readfile", "reads a file of this computer"),
    ("writefile", "writes a file on this computer"),
    ("zipfile", "reads an archive of this computer"),
];

/// Modules of SQLite itself and of its common extensions, whose tables keep their content in the database.
const MODULES: &[&str] = &[
    "dbstat",
    "fts3",
    "fts3tokenize",
    "fts4",
    "fts4aux",
    "fts5",
    "fts5vocab",
    "generate_series",
    "geopoly",
    "json_each",
    "json_tree",
    "rtree",
    "rtree_i32",
    "spellfix1",
    "sqlite_dbpage",
    "transitive_closure",
    "vec0",
    "virtualbbox",
    "virtualelementary",
    "virtualfdo",
    "virtualgpkg",
    "virtualknn",
    "virtualknn2",
    "virtualnetwork",
    "virtualrouting",
    "virtualspatialindex",
    "virtualxpath",
];

/// Modules whose tables are files: the first argument, or the one called `filename`, names one.
const MODULES_OF_FILES: &[&str] =
    &["csv", "fsdir", "virtualdbf", "virtualgeojson", "virtualshape", "virtualtext", "virtualxl", "vsv", "zipfile"];

/// The module of a virtual table and what stands behind it.
fn virtual_table(tokens: &[Token]) -> Option<(&str, &[Token])> {
    let is_virtual = tokens.get(1)?.is("virtual") && tokens.get(2)?.is("table");
    let using = tokens.iter().position(|token| token.is("using")).filter(|_| is_virtual)?;
    let behind = tokens.get(using.saturating_add(1)..)?;
    let (module, arguments) = behind.split_first()?;
    Some((module.name()?, arguments))
}

/// The file that the arguments of a module name.
fn file_argument(arguments: &[Token]) -> Option<&str> {
    let named = arguments.windows(3).find_map(|window| match window {
        [Token::Word(key), Token::Sign('='), value] if matches!(key.as_str(), "filename" | "file") => value.text(),
        _ => None,
    });
    named.or_else(|| arguments.iter().find_map(Token::text))
}

/// The functions of [`FUNCTIONS`] that a statement calls, in its order.
fn calls(tokens: &[Token]) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_index = tokens.iter().take(3).any(|token| token.is("index"));
    // The first ON of an index names its table, with its columns in parentheses.
    let table_of_index = tokens.iter().position(|token| token.is("on")).filter(|_| is_index);
    tokens.windows(3).enumerate().filter_map(move |(at, window)| {
        let [before, function, behind] = window else { return None };
        let name = function.name()?;
        let is_source = before.is("from") || before.is("join");
        let is_call = before.precedes_expression() && *behind == Token::Sign('(') && table_of_index != Some(at);
        FUNCTIONS.iter().copied().find(|(known, _)| (is_call || is_source) && name.eq_ignore_ascii_case(known))
    })
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    /// A name or key word without quotation marks, in lower case.
    Word(String),
    /// A name in quotation marks.
    Name(String),
    /// A text.
    Text(String),
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(known) if known == word)
    }

    /// What may name a function, a table or a module.
    fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Name(name) => Some(name),
            Token::Text(_) | Token::Sign(_) => None,
        }
    }

    /// What may be the value of an argument.
    fn text(&self) -> Option<&str> {
        match self {
            Token::Text(text) | Token::Name(text) => Some(text),
            Token::Word(_) | Token::Sign(_) => None,
        }
    }

    /// Whether an expression may follow, rather than the name of a table or the type of a column.
    fn precedes_expression(&self) -> bool {
        match self {
            Token::Sign(sign) => *sign != '.' && *sign != ')',
            Token::Word(word) => BEFORE_EXPRESSION.contains(&word.as_str()),
            Token::Name(_) | Token::Text(_) => false,
        }
    }
}

/// Key words behind which an expression may stand.
const BEFORE_EXPRESSION: &[&str] = &[
    "all",
    "and",
    "as",
    "between",
    "by",
    "case",
    "check",
    "default",
    "distinct",
    "else",
    "escape",
    "filter",
    "glob",
    "having",
    "in",
    "is",
    "like",
    "limit",
    "match",
    "not",
    "offset",
    "on",
    "or",
    "over",
    "regexp",
    "returning",
    "select",
    "set",
    "then",
    "values",
    "when",
    "where",
];

/// Cuts a statement into tokens, as the tokenizer of SQLite does.
fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '-' if letters.peek() == Some(&'-') => while letters.next_if(|letter| *letter != '\n').is_some() {},
            '/' if letters.peek() == Some(&'*') => {
                letters.next();
                let mut last = ' ';
                for letter in letters.by_ref() {
                    if (last, letter) == ('*', '/') {
                        break;
                    }
                    last = letter;
                }
            }
            '\'' => tokens.push(Token::Text(until(&mut letters, '\''))),
            '"' | '`' => tokens.push(Token::Name(until(&mut letters, letter))),
            '[' => tokens.push(Token::Name(letters.by_ref().take_while(|letter| *letter != ']').collect())),
            _ if is_of_word(letter) => {
                let mut word = String::from(letter);
                while let Some(letter) = letters.next_if(|letter| is_of_word(*letter)) {
                    word.push(letter);
                }
                tokens.push(Token::Word(word.to_ascii_lowercase()));
            }
            _ if letter.is_whitespace() => {}
            _ => tokens.push(Token::Sign(letter)),
        }
    }
    tokens
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '$' || !letter.is_ascii()
}

/// What stands up to `mark`, which is written twice to stand for itself.
fn until(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, mark: char) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        if letter == mark && letters.next_if_eq(&mark).is_none() {
            break;
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(sql: &str) -> Vec<&'static str> {
        calls(&tokens(sql)).map(|(function, _)| function).collect()
    }

    #[test]
    fn calls_are_told_from_names() {
        for sql in [
            "CREATE VIEW v AS SELECT load_extension('x')",
            "CREATE VIEW v AS SELECT a, \"LOAD_extension\" ( 'x' ) FROM t",
            "CREATE TABLE t(a, b DEFAULT (1 + load_extension('x')))",
            "CREATE INDEX i ON load_extension(a) WHERE load_extension(a)",
            "CREATE TABLE t(a CHECK (a <> /* no */ [load_extension]('x')))",
        ] {
            assert_eq!(called(sql), ["load_extension"], "{sql}");
        }
        assert_eq!(called("CREATE VIEW v AS SELECT * FROM fsdir WHERE path = '.'"), ["fsdir"]);
        for sql in [
            "CREATE TABLE edit(a)",
            "CREATE TABLE IF NOT EXISTS eval(a REFERENCES edit(a), b edit(3))",
            "CREATE INDEX i ON edit(a)",
            "CREATE VIEW v AS SELECT 'load_extension(1)', edit, -- load_extension(1)\n t.eval FROM t",
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO edit(a) VALUES (1); END",
        ] {
            assert_eq!(called(sql), [""; 0], "{sql}");
        }
    }

    #[test]
    fn tokens_are_those_of_sqlite() {
        let word = |text: &str| Token::Word(text.into());
        assert_eq!(
            tokens("a'b''c'/*x*/[d e]`f`--g\n1.5"),
            [
                word("a"),
                Token::Text("b'c".into()),
                Token::Name("d e".into()),
                Token::Name("f".into()),
                word("1"),
                Token::Sign('.'),
                word("5")
            ]
        );
        assert_eq!(tokens("'open /*"), [Token::Text("open /*".into())]);
        assert_eq!(tokens("a /* open"), [word("a")]);
    }
}
