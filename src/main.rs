//! The command.

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let source = just_data::source::OnDisk::open(std::path::Path::new(&path));
    if let Ok(source) = source {
        let report = just_data::check::check(
            &path,
            std::rc::Rc::new(source),
            Default::default(),
            std::rc::Rc::new(just_data::budget::Quiet),
        );
        print!("{}", just_data::report::text::file(&report));
    }
}
