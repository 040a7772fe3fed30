//! A small server for the page, on this machine only.

use std::{collections::BTreeMap, fs, io::Write, path::Path};

use anyhow::{Context, Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::PORT;

/// Serves a folder until the program is ended.
pub fn serve(folder: &Path, port: Option<u16>) -> Result<()> {
    let files = read(folder)?;
    let server = open(port)?;
    let address = server.server_addr().to_ip().context("a server on the loopback has an address")?;
    println!("\nJust Data is at http://{address}/  (Ctrl+C ends it)");
    std::io::stdout().flush()?;
    for request in server.incoming_requests() {
        // A browser that went away is no reason to end.
        let _ = answer(request, &files);
    }
    Ok(())
}

/// The loopback at this port; without one, at the usual port or, when that is taken, at any.
fn open(port: Option<u16>) -> Result<Server> {
    let at = |port: u16| Server::http(("127.0.0.1", port)).map_err(|error| anyhow!("port {port}: {error}"));
    match port {
        Some(port) => at(port),
        None => at(PORT).or_else(|_| at(0)),
    }
}

/// The files of the folder by their address. Nothing else is ever served.
fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(String::from("/"), folder.to_path_buf())];
    while let Some((address, folder)) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let address = format!("{address}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push((format!("{address}/"), entry.path()));
            } else {
                files.insert(address, fs::read(entry.path())?);
            }
        }
    }
    Ok(files)
}

fn answer(request: Request, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let path = request.url().split(['?', '#']).next().unwrap_or_default();
    let path = if path == "/" { "/index.html" } else { path }.to_string();
    let found = files.get(&path).filter(|_| matches!(request.method(), Method::Get | Method::Head));
    let Some(body) = found else {
        return Ok(request.respond(Response::empty(404))?);
    };
    let mut response = Response::from_data(body.clone());
    for (name, value) in
        [("Content-Type", media_type(&path)), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
    {
        response.add_header(Header::from_bytes(name, value).map_err(|()| anyhow!("the header {name}"))?);
    }
    Ok(request.respond(response)?)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        thread,
    };

    use super::*;

    /// The status line and the body that a request gets.
    fn ask(files: BTreeMap<String, Vec<u8>>, request: &str) -> Result<(String, String)> {
        let server = open(Some(0))?;
        let address = server.server_addr().to_ip().context("an address")?;
        assert!(address.ip().is_loopback());
        let asked = thread::spawn(move || -> Result<()> { answer(server.recv()?, &files) });
        let mut connection = TcpStream::connect(address)?;
        write!(connection, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut said = String::new();
        connection.read_to_string(&mut said)?;
        asked.join().map_err(|_| anyhow!("the server panicked"))??;
        let (head, body) = said.split_once("\r\n\r\n").context("a head and a body")?;
        Ok((head.lines().next().unwrap_or_default().to_string(), body.to_string()))
    }

    fn page() -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([("/index.html".to_string(), b"<p>page".to_vec())])
    }

    #[test]
    fn serves_the_page_at_the_root() -> Result<()> {
        for path in ["/", "/index.html", "/?a=1"] {
            let (status, body) = ask(page(), &format!("GET {path}"))?;
            assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", "<p>page"), "{path}");
        }
        Ok(())
    }

    #[test]
    fn serves_what_lies_in_folders_by_its_address() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("just-data-serve-{}", std::process::id()));
        fs::create_dir_all(folder.join(".well-known"))?;
        fs::write(folder.join(".well-known").join("security.txt"), b"Contact: x")?;
        fs::write(folder.join("index.html"), b"<p>page")?;
        let files = read(&folder)?;
        fs::remove_dir_all(&folder)?;
        assert_eq!(files.keys().collect::<Vec<_>>(), ["/.well-known/security.txt", "/index.html"]);
        assert_eq!(ask(files, "GET /.well-known/security.txt")?.1, "Contact: x");
        Ok(())
    }

    #[test]
    fn serves_nothing_else() -> Result<()> {
        for request in ["GET /../Cargo.toml", "GET //index.html", "GET /..%2fCargo.toml", "POST /", "GET /other"] {
            let (status, _) = ask(page(), request)?;
            assert_eq!(status, "HTTP/1.1 404 Not Found", "{request}");
        }
        Ok(())
    }
}
