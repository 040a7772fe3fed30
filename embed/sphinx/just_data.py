"""Puts the check of Just Data on pages of Sphinx: the directive ``just-data``, in reStructuredText and in MyST.

The script is copied into the built documentation, loaded on those pages alone that use the directive, and bound to its
bytes with Subresource Integrity. Where there is no HTML (and where there is no JavaScript) the content of the directive
is shown in its place.

In ``conf.py``, with ``just_data.py`` and ``just-data.js`` beside it::

    import os, sys
    sys.path.insert(0, os.path.dirname(__file__))
    extensions = ["just_data"]
    just_data_script = "just-data.js"
"""

from __future__ import annotations

import base64
import hashlib
import html
import shutil
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

NAME = "just-data.js"


class just_data(nodes.General, nodes.Element):
    """The element; its children are what is shown where it cannot be."""


class JustDataDirective(SphinxDirective):
    """``.. just-data::`` with the attributes of the element as options."""

    has_content = True
    option_spec = {
        "lang": directives.unchanged_required,
        "theme": lambda argument: directives.choice(argument, ("auto", "light", "dark")),
        "accept": directives.unchanged_required,
        "single": directives.flag,
        "no-directory": directives.flag,
        "max-bytes": directives.nonnegative_int,
        "compact": directives.flag,
        "policy-href": directives.uri,
    }

    def run(self) -> list[nodes.Node]:
        attributes = {name: value for name, value in self.options.items() if name not in ("single", "no-directory")}
        attributes.setdefault("lang", self.config.language)
        if "single" in self.options:
            attributes["multiple"] = "false"
        if "no-directory" in self.options:
            attributes["directory"] = "false"
        node = just_data("", attributes=attributes)
        self.set_source_info(node)
        if self.content:
            self.state.nested_parse(self.content, self.content_offset, node)
        else:
            node += nodes.paragraph("", "The check of files needs a browser with JavaScript and WebAssembly.")
        return [node]


def visit_html(translator, node: just_data) -> None:
    attributes = "".join(
        f" {name}" if value is None else f' {name}="{html.escape(str(value))}"'
        for name, value in node["attributes"].items()
    )
    translator.body.append(f"<just-data{attributes}>")


def depart_html(translator, node: just_data) -> None:
    translator.body.append("</just-data>\n")


def pass_through(translator, node: just_data) -> None:
    """In other formats than HTML, the content stands for the element."""


def copy_script(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    script = Path(app.confdir, app.config.just_data_script)
    if not script.is_file():
        raise ExtensionError(f"just_data_script: there is no file {script}")
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(script, static / NAME)


def load_script(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree is None or next(doctree.findall(just_data), None) is None:
        return
    digest = hashlib.sha384(Path(app.outdir, "_static", NAME).read_bytes()).digest()
    app.add_js_file(NAME, type="module", integrity=f"sha384-{base64.b64encode(digest).decode()}")


def setup(app: Sphinx) -> dict:
    app.add_config_value("just_data_script", NAME, "html", [str])
    other = (pass_through, pass_through)
    app.add_node(just_data, html=(visit_html, depart_html), latex=other, text=other, man=other, texinfo=other)
    app.add_directive("just-data", JustDataDirective)
    app.connect("builder-inited", copy_script)
    app.connect("html-page-context", load_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
