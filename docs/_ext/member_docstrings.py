"""Docstrings of properties as they are written.

Napoleon takes the text before the first colon of a property's docstring for its type, as in
"Largest code: the code of the first chunk". Here a docstring is text.
"""

from sphinx.ext.napoleon import NumpyDocstring


def setup(app):
    NumpyDocstring._parse_attribute_docstring = lambda self: list(self._consume_to_end())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
