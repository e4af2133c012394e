"""What metaplat costs, as ratios against peers and floors measured in the same run.

Here: one script a capability, each with ``measure()`` returning rows of (what, figure, target).
Not here: tests; a benchmark never fails a build.
"""
