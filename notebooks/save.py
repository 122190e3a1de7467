"""Run a notebook and save it so that it reads on the web: python notebooks/save.py NOTEBOOK

Where notebooks are shown as files, interactive figures stay blank. So each is kept as a picture;
running the notebook brings the interactive ones back. Needs the dev extra, playwright, pillow and
a Chromium, named by CHROMIUM where it is not /usr/bin/chromium.
"""

import base64
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
from nbclient import NotebookClient
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

PLOTLY = "application/vnd.plotly.v1+json"
WIDTH = 860


def picture(figure: go.Figure, browser: Browser) -> str:
    """The figure as a small PNG on white, in base64."""
    page = browser.new_page(viewport={"width": WIDTH, "height": int(figure.layout.height)})
    figure.update_layout(paper_bgcolor="white")
    page.set_content(figure.to_html(config={"staticPlot": True}), timeout=60_000)
    page.add_style_tag(content="body { margin: 0 }")
    page.wait_for_selector(".main-svg", timeout=60_000)
    page.wait_for_timeout(500)
    shot = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    out = io.BytesIO()
    shot.convert("RGB").quantize(256).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def with_pictures(cells: list[Any], browser: Browser) -> None:
    for cell in cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if PLOTLY in data:
                figure = go.Figure({k: data[PLOTLY][k] for k in ("data", "layout")})
                title = str(figure.layout.title.text).replace("<br>", " ")
                output["data"] = {"image/png": picture(figure, browser), "text/plain": title}
                output["metadata"] = {}


def main() -> None:
    path = Path(sys.argv[1])
    notebook = nbformat.read(path, as_version=4)
    os.environ |= {
        "PLOTLY_RENDERER": "plotly_mimetype",
        "PYTHONWARNINGS": "ignore:IProgress not found",
    }
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, resources={"metadata": {"path": folder}}, timeout=300).execute()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        with_pictures(notebook.cells, browser)
        browser.close()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times of this run
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
