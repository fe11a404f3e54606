"""Sphinx configuration of the documentation. The built pages load nothing from a network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "lowtide"
author = "lowtide contributors"
copyright = "2026 lowtide contributors"
release = version = version_of("lowtide")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.wavedrom",
    "component_signatures",
    "mathml",
    "member_docstrings",
    "reference_tables",
]
exclude_patterns = ["_build", "example", "examples", "style"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Docstrings follow NumPy's style; ports and fields are listed under "Members".
napoleon_google_docstring = False
napoleon_custom_sections = [("Members", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints = "none"

# Waveforms become SVG when the pages are built, not JavaScript in the reader's browser.
render_using_wavedrompy = True
wavedrom_html_jsinline = False

# The copy button leaves out prompts and output.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = f"lowtide {release}"
html_static_path = ["_static"]
html_css_files = ["lowtide.css"]
html_math_renderer = "mathml"
