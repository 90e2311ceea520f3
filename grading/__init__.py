"""Marks notebooks safely, fast, and on more than one machine: a plug-in for nbgrader.

A submission's path through this package: `collect` puts it in its place, `intake` makes
a clean notebook of it, `marking` runs it in a `Room` (`execution`) and reads the scores,
`spread` says where, `log` remembers, `batch` brings the scores into the gradebook.
`plugin` puts all this in the place of nbgrader's own autograder.
"""
