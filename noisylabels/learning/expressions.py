"""Judge one `$` expression of a config by its syntax tree: every name in it is listed, or it is told."""

import ast
import re

from noisylabels.learning.allowlist import ATTRIBUTES, CALLS, HARMLESS, METHODS, MODULES, VALUES

REFERENCE = re.compile(r"@[\w:#]+")
STAND_IN = "reference_"


def fault_of_expression(code: str) -> str:
    """Return why a reader should look at an expression; "" if every name in it is on the allow-list.

    Args:
        code: What stands behind the `$`.

    Examples:
        >>> fault_of_expression("@network.parameters()"), fault_of_expression("import os as max")
        ('', 'import of os as max')
        >>> fault_of_expression("os.system")
        'name os.system'
    """
    if STAND_IN in code:
        return f"name {STAND_IN}"
    try:
        tree = ast.parse(REFERENCE.sub(STAND_IN, code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "not an expression"
    return _fault_of(tree)


def _fault_of(node: ast.AST) -> str:
    if isinstance(node, ast.Import):
        unknown = [alias for alias in node.names if alias.name not in MODULES or alias.asname]
        return f"import of {', '.join(map(ast.unparse, unknown))}" if unknown else ""
    if isinstance(node, ast.ImportFrom):
        return f"import of {node.module}.{', '.join(map(ast.unparse, node.names))}"
    if isinstance(node, ast.Call):
        fault = "" if _is_known_call(node.func) else f"call of {_written(node.func)}"
        return fault or _first_fault([*node.args, *node.keywords])
    if isinstance(node, ast.Attribute | ast.Name):
        return _fault_of_name(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and STAND_IN in node.value:
        return "reference within a text"
    if not isinstance(node, HARMLESS):
        return f"{type(node).__name__.lower()} in an expression"
    return _first_fault(list(ast.iter_child_nodes(node)))


def _first_fault(nodes: list[ast.expr] | list[ast.AST] | list[ast.expr | ast.keyword]) -> str:
    return next((fault for fault in map(_fault_of, nodes) if fault), "")


def _fault_of_name(node: ast.Attribute | ast.Name) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else node.id
    if name.startswith("__"):
        return f"private name {name}"
    if ast.unparse(node) in (*VALUES, STAND_IN):
        return ""
    if isinstance(node, ast.Attribute) and _is_made(node.value) and name in ATTRIBUTES:
        return _fault_of(node.value)
    return f"name {_written(node)}"


def _is_known_call(function: ast.expr) -> bool:
    if ast.unparse(function) in CALLS:
        return True
    return isinstance(function, ast.Attribute) and function.attr in METHODS and _is_made(function.value)


def _is_made(node: ast.expr) -> bool:
    """Return whether this is what the config itself made, or a part of it by key or listed attribute."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr not in ATTRIBUTES:
            return False
        node = node.value
    return isinstance(node, ast.Name) and node.id == STAND_IN


def _written(node: ast.expr) -> str:
    return ast.unparse(node).replace(STAND_IN, "@...")
