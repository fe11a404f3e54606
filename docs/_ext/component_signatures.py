"""Signatures of components as their constructors have them.

Amaranth defines ``__new__`` of every component, with ``(*args, src_loc_at=0, **kwargs)``, and autodoc prefers it.
"""

import inspect

from amaranth.lib.wiring import Component


def constructor_signature(app, what, name, obj, options, signature, return_annotation):
    """Return the signature of a component's ``__init__``, without types; None, autodoc's own, for anything else."""
    if what != "class" or not issubclass(obj, Component):
        return None
    constructor = inspect.signature(obj.__init__)
    parameters = [
        parameter.replace(annotation=parameter.empty)
        for name, parameter in constructor.parameters.items()
        if name != "self"
    ]
    return str(constructor.replace(parameters=parameters, return_annotation=constructor.empty)), None


def setup(app):
    app.connect("autodoc-process-signature", constructor_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
