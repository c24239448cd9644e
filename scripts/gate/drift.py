"""Change points in series of numbers, one for each metric, over the same runs.

A series is tested by the largest standardized difference of mean ranks before and after a run. How large it is by chance is found
by permutations of the runs, the same ones for all series, so that the level holds for all of them together (Westfall and
Young). Where a series has a change point, each part of it is tested again.
"""
import itertools
import operator
import random

LEVEL = 0.01  # false alarms of a look at a history without change, over all its series
PERMUTATIONS = 999
LEAST = 8  # values of a series that is tested
EDGE = 3  # values before and after a change point
MOST_PARTS = 6  # of a series


def centered_ranks(values):
    """Ranks less their mean; equal values share a rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for i in range(at, end + 1):
            ranks[order[i]] = (at + end) / 2
        at = end + 1
    mean = (len(values) - 1) / 2
    return [rank - mean for rank in ranks]


class Series:
    """Places of the runs that have a value, and the ranks of the values."""

    def __init__(self, values, places):
        self.values, self.places = values, places
        self.ranks = centered_ranks(values)
        n = len(values)
        variance = sum(rank * rank for rank in self.ranks) / max(1, n - 1)
        # By the number of values before the change; 0: it would be too near to an end.
        self.weights = [
            (1 / (variance * k * (n - k) / n) ** 0.5 if variance > 0 and EDGE <= k <= n - EDGE else 0)
            for k in range(1, n + 1)
        ]
        self.rank_at = dict(zip(places, self.ranks))

    def sums(self, ranks):
        return map(operator.mul, map(abs, itertools.accumulate(ranks)), self.weights)

    def strongest(self):
        """The statistic, and the number of values before the change."""
        return max((value, k) for k, value in enumerate(self.sums(self.ranks), 1))

    def permuted(self, order):
        return max(self.sums([self.rank_at[i] for i in order if i in self.rank_at]))


def chances(series, generator, permutations):
    """For each series: the share of permutations in which any series changes as much as it does."""
    runs = sorted({place for s in series for place in s.places})
    largest = []
    for _ in range(permutations):
        generator.shuffle(runs)
        largest.append(max(s.permuted(runs) for s in series))
    out = []
    for s in series:
        statistic = s.strongest()[0]
        out.append((1 + sum(value >= statistic - 1e-12 for value in largest)) / (1 + permutations))
    return out


def change_points(named, level=LEVEL, permutations=PERMUTATIONS, seed=1):
    """named: name -> [(place, value)] by place. Returns [(name, place, before, after, p)]: from that place on it is another
    level; before and after are the values of the parts on both sides."""
    generator = random.Random(seed)
    found = []
    names = [name for name, values in named.items() if len(values) >= LEAST]
    series = [Series([v for _, v in named[name]], [p for p, _ in named[name]]) for name in names]
    if not series:
        return found
    for name, whole, p in zip(names, series, chances(series, generator, permutations)):
        if p > level:
            continue
        cuts = {whole.strongest()[1]: p}
        open_parts = [(0, whole.strongest()[1]), (whole.strongest()[1], len(whole.values))]
        while open_parts and len(cuts) < MOST_PARTS - 1:
            begin, end = open_parts.pop()
            if end - begin < LEAST:
                continue
            part = Series(whole.values[begin:end], whole.places[begin:end])
            again = chances([part], generator, permutations)[0]
            if again > level:
                continue
            cut = begin + part.strongest()[1]
            cuts[cut] = again
            open_parts += [(begin, cut), (cut, end)]
        edges = [0, *sorted(cuts), len(whole.values)]
        for before, cut, after in zip(edges, edges[1:], edges[2:]):
            found.append((name, whole.places[cut], whole.values[before:cut], whole.values[cut:after], cuts[cut]))
    return found
