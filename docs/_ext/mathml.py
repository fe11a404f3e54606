"""Formulas as MathML, which browsers render without a script or a network."""

import latex2mathml.converter
from docutils.nodes import SkipNode


def inline(translator, node):
    translator.body.append(latex2mathml.converter.convert(node.astext(), display="inline"))
    raise SkipNode


def block(translator, node):
    mathml = latex2mathml.converter.convert(node.astext(), display="block")
    translator.body.append(f'<div class="math">{mathml}</div>')
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
