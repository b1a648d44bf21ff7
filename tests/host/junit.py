# SPDX-License-Identifier: GPL-2.0
"""junit.py FILE: reads the results in FILE as a CI would, by the schema in junit.xsd and with
junitparser, and prints a line for each suite. Fails if two suites, or two tests, have one name."""

import os
import sys

import junitparser
from lxml import etree


def unique(names):
    """No name is there twice."""
    seen = set()
    for name in names:
        if name in seen:
            sys.exit(f"two have the name {name}")
        seen.add(name)


schema = etree.XMLSchema(file=os.path.join(os.path.dirname(__file__), "junit.xsd"))
schema.assertValid(etree.parse(sys.argv[1]))

suites = list(junitparser.JUnitXml.fromfile(sys.argv[1]))
unique(suite.name for suite in suites)
unique((case.classname, case.name) for suite in suites for case in suite)

for suite in suites:
    kinds = [type(result) for case in suite for result in case.result]
    failed = kinds.count(junitparser.Failure)
    skipped = kinds.count(junitparser.Skipped)
    cases = len(list(suite))
    if (suite.tests, suite.failures, suite.skipped) != (cases, failed, skipped):
        sys.exit(f"{suite.name}: its attributes are not the sums of its tests")
    if any(not result.message for case in suite for result in case.result):
        sys.exit(f"{suite.name}: a result has no reason")
    passed = cases - failed - skipped
    print(f"{suite.name}: {passed} passed, {failed} failed, {skipped} skipped")
