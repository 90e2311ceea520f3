"""The course's data: one module for each application, imported by its name.

Each loads real data from an installed library or generates its own from a seed, splits
it, and says where it comes from.
"""
