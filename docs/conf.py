"""Sphinx configuration of the documentation."""

from importlib.metadata import version as version_of

project = "lowtide"
author = "lowtide contributors"
copyright = "2026 lowtide contributors"
release = version = version_of("lowtide")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinxcontrib.wavedrom"]
exclude_patterns = ["_build", "example", "examples"]

myst_heading_anchors = 3

# Docstrings follow NumPy's style; ports and fields are listed under "Members".
napoleon_google_docstring = False
napoleon_custom_sections = [("Members", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints = "none"

# Waveforms are drawn at build time, so pages need no network.
render_using_wavedrompy = True
wavedrom_html_jsinline = False

html_theme = "furo"
html_title = f"lowtide {release}"
