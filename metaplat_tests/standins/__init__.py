"""Stand-ins for outside systems, usable by tests and by a person.

Here: small local servers with scripted faults, and builders of the objects they serve.
Not here: fakes of our own code; tests.
"""
