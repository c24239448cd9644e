"""Which tests of a file run."""
import unittest


def loader(every):
    """Loads the first test of each class, by name, and every Nth after it."""
    loads = unittest.TestLoader()
    all_names = loads.getTestCaseNames
    loads.getTestCaseNames = lambda case: all_names(case)[::every]
    return loads
