"""Rules about the domains of the catalog: observations, their relationships, processing events.

Here: one module a rule, or a few of one kind; ``all_rules`` has them in the order they are shown.
Not here: what is odd about a single file (``collectors.headers`` flags it), rules that fit any domain
(``rules``).

The partition of files without a usable time has no window: rules about days are not evaluated there.
"""
