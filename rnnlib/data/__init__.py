"""The course's data: one module for each application.

Each loads real data from an installed library or generates its own from a
seed, splits it, and says where it comes from.
"""

from . import storybook

__all__ = ["storybook"]
