"""metaplat: operational metadata, kept as Dagster assets and judged by checks.

Here: nothing but the version. Each room says in its own header what belongs in it.
Not here: re-exports; import from the room that owns a name.
"""

__version__ = "0.1.0"
