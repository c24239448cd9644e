"""Runs a test again that failed for a reason outside of the code under test."""
import unittest

from stolen import Watch

# A recorder that loses events in each of this many tries fails its test.
TRIES_WITH_LOSSES = 3


class Trial(unittest.TestResult):
    """Keeps what a test said, to say it again."""

    def __init__(self):
        super().__init__()
        self.said = []

    def again(self, result):
        for name, arguments in self.said:
            getattr(result, name)(*arguments)


def _keep(name):
    def keep(self, *arguments):
        getattr(unittest.TestResult, name)(self, *arguments)
        self.said.append((name, arguments))

    return keep


for _name in (
    "addSuccess",
    "addFailure",
    "addError",
    "addSkip",
    "addSubTest",
    "addExpectedFailure",
    "addUnexpectedSuccess",
):
    setattr(Trial, _name, _keep(_name))


def run(test, once, result):
    """Runs a test by `once(result)`.

    A test that fails while the hypervisor took much of the CPUs gets a second try. If it fails again and much was taken again, it is
    skipped as not decided; its reasons are printed. A test whose recorder reported lost events (`test.losses`: what it said) has no
    exact result to check: it gets two more tries, the last of which counts.
    """
    result.startTest(test)
    stolen_before = False
    for attempt in range(1, TRIES_WITH_LOSSES + 1):
        trial = Trial()
        test.losses = []
        with Watch() as taken:
            once(trial)
        if trial.wasSuccessful() or attempt == TRIES_WITH_LOSSES or not (taken.much or test.losses):
            trial.again(result)
            break
        why = (
            f"the hypervisor took {taken.share:.0%} of the CPUs, {taken.worst:.0%} of the worst half second"
            if taken.much
            else "events were lost"
        )
        undecided = taken.much and stolen_before
        print(
            f"{'NOT DECIDED' if undecided else 'AGAIN'}: {test.id()}: {why}",
            *(text for _, text in trial.failures + trial.errors),
            sep="\n",
            flush=True,
        )
        if undecided:
            result.addSkip(test, f"not decided: {why}")
            break
        stolen_before = taken.much
    result.stopTest(test)
