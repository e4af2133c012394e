"""Tests: each folder mirrors a room of ``metaplat``; ``standins`` holds servers that misbehave on request."""
