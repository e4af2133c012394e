"""The ``metaplat`` command: each command calls one function of another room and prints what it returns.

Here: arguments, help with an example, tables and JSON, exit codes (``main``).
Not here: anything another program would want to call.
To add a command, write one function in a module of its concept and register it in ``cli.app``.
"""
