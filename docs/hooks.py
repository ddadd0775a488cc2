"""What MkDocs calls while it builds the site: adds the reference, and checks that pages are whole.

The reference is made of the code each time, so no copy of it can be out of date.
"""

import os
import re
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

# A script, style sheet or picture from somewhere else: the site has to work without a network.
ELSEWHERE = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^>]*>')


def on_config(config: Any) -> Any:
    """List the pages that are found rather than named: decisions, and optional references."""
    decisions = sorted(Path(config["docs_dir"], "decisions").glob("[0-9]*.md"))
    for section in config["nav"]:
        if "Reference" in section:
            named = {path for each in section["Reference"] if isinstance(each, dict)
                     for path in each.values()}  # fmt: skip
            section["Reference"] += [path for path in reference() if path not in named]
        if "Explanation" in section:
            names = [f"decisions/{path.name}" for path in decisions]
            section["Explanation"].append({"Decisions": ["decisions/index.md", *names]})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the reference to those that are written by hand."""
    from mkdocs.structure.files import File

    for path, content in reference().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Refuse a page that would load something from another host."""
    found = [tag for tag in ELSEWHERE.findall(output) if 'rel="canonical"' not in tag]
    if found:
        raise SystemExit(f"{page.file.src_uri} loads from another host: {found[0]}")
    return output


@cache
def reference() -> dict[str, str]:
    """The pages, made by the project's settings, for which nothing is written to var/."""
    sys.path.insert(0, os.getcwd())
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "dataflow_site.settings",
            "DATAFLOW_VAR": folder,
            "DATABASE_URL": "sqlite://:memory:",
            "SECRET_KEY": "for the documentation only",
        }
        import django

        django.setup()
        from docs.reference_pages import pages

        return pages()
