// The partition's rule by itself: its eight properties, each over many random cases, and the worked example.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "analyze/partition/conditions/sweep.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::Label;

constexpr int kCases = 10'000;

using Random = std::mt19937_64;

std::int64_t between(Random& r, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(r);
}

Label any_label(Random& r) {
  // unexplained.nocarrier is the remainder, never a condition.
  for (;;) {
    const auto label = static_cast<Label>(between(r, 0, static_cast<std::int64_t>(model::kLabels) - 1));
    if (label != Label::unexplained_nocarrier) return label;
  }
}

struct Case {
  Nanos from = 0, to = 0;
  std::vector<Condition> conditions;
};

Case any_case(Random& r) {
  Case c;
  c.from = between(r, -50, 50);
  c.to = c.from + between(r, 1, 200);
  for (auto n = between(r, 0, 12); n > 0; --n) {
    const Nanos at = between(r, c.from - 30, c.to + 30);
    c.conditions.push_back({at, at + between(r, -5, 120), any_label(r), static_cast<Evidence>(between(r, 0, 1)),
                            static_cast<std::uint32_t>(between(r, 0, 2))});
  }
  return c;
}

std::vector<Condition> run(const Case& c) { return sweep(c.from, c.to, c.conditions); }

std::map<Label, Nanos> sums(const std::vector<Condition>& pieces) {
  std::map<Label, Nanos> out;
  for (const auto& p : pieces) out[p.label] += p.to - p.from;
  return out;
}

// The definition, applied nanosecond by nanosecond.
Label label_at(const Case& c, Nanos t) {
  const auto place = [](Label l) {
    return l == Label::unexplained_lost ? 0 : l == Label::unexplained_opaque ? 6 : model::rank_of(l);
  };
  const auto order = [&](Label l) { return std::tuple(place(l), l == Label::cpu, l); };
  Label best = Label::unexplained_nocarrier;
  bool any = false;
  for (const auto& x : c.conditions) {
    if (t < x.from || t >= x.to) continue;
    if (!any || order(x.label) < order(best)) best = x.label;
    any = true;
  }
  return best;
}

Label label_in(const std::vector<Condition>& pieces, Nanos t) {
  for (const auto& p : pieces)
    if (t >= p.from && t < p.to) return p.label;
  ADD_FAILURE() << "no label at " << t;
  return Label::count_;
}

TEST(Sweep, Property1TheSumIsTheDuration) {
  Random r(1);
  for (int i = 0; i < kCases; ++i) {
    const Case c = any_case(r);
    const auto pieces = run(c);
    Nanos sum = 0, at = c.from;
    for (const auto& p : pieces) {
      ASSERT_EQ(p.from, at);
      ASSERT_GT(p.to, p.from);
      at = p.to;
      sum += p.to - p.from;
    }
    ASSERT_EQ(sum, c.to - c.from);
    for (Nanos t = c.from; t < c.to; t += 1 + (c.to - c.from) / 40) ASSERT_EQ(label_in(pieces, t), label_at(c, t));
  }
}

TEST(Sweep, Property2OrderOfEvidenceDoesNotMatter) {
  Random r(2);
  for (int i = 0; i < kCases; ++i) {
    Case c = any_case(r);
    for (auto& x : c.conditions)
      if (between(r, 0, 2) == 0) x.from = c.from + 7;  // several at the same time
    const auto pieces = run(c);
    std::shuffle(c.conditions.begin(), c.conditions.end(), r);
    ASSERT_EQ(run(c), pieces);
  }
}

TEST(Sweep, Property3ASplitAddsUp) {
  Random r(3);
  for (int i = 0; i < kCases; ++i) {
    const Case c = any_case(r);
    const Nanos middle = between(r, c.from, c.to);
    auto both = sums(sweep(c.from, middle, c.conditions));
    for (const auto& [label, time] : sums(sweep(middle, c.to, c.conditions))) both[label] += time;
    ASSERT_EQ(both, sums(run(c)));
  }
}

TEST(Sweep, Property4WithoutTheEvidenceOfARankOnlyLaterRanksGain) {
  Random r(4);
  for (int i = 0; i < kCases; ++i) {
    Case c = any_case(r);
    const auto before = run(c);
    const int rank = static_cast<int>(between(r, 1, 7));
    std::erase_if(c.conditions, [&](const auto& x) { return model::rank_of(x.label) == rank; });
    const auto after = run(c);
    for (Nanos t = c.from; t < c.to; t += 1 + (c.to - c.from) / 40) {
      const Label was = label_in(before, t), is = label_in(after, t);
      if (model::rank_of(was) != rank) {
        ASSERT_EQ(was, is);
      } else {
        ASSERT_TRUE(model::rank_of(is) > rank || model::unexplained(is));
      }
    }
  }
}

TEST(Sweep, Property5WhatLiesOutsideChangesNothing) {
  Random r(5);
  for (int i = 0; i < kCases; ++i) {
    Case c = any_case(r);
    const auto pieces = run(c);
    for (int n = 0; n < 5; ++n) {
      const Nanos before = between(r, c.from - 1000, c.from), after = between(r, c.to, c.to + 1000);
      c.conditions.push_back({before - 100, before, any_label(r)});
      c.conditions.push_back({after, after + 100, any_label(r)});
    }
    ASSERT_EQ(run(c), pieces);
  }
}

TEST(Sweep, Property6PhasesAndLabelsAgree) {
  Random r(6);
  for (int i = 0; i < kCases; ++i) {
    const Case c = any_case(r);
    std::vector<Nanos> cuts = {c.from, c.to};
    for (int n = 0; n < 5; ++n) cuts.push_back(between(r, c.from, c.to));
    std::sort(cuts.begin(), cuts.end());
    std::map<Label, Nanos> over_phases;
    for (std::size_t k = 1; k < cuts.size(); ++k) {
      Nanos phase = 0;
      for (const auto& [label, time] : sums(sweep(cuts[k - 1], cuts[k], c.conditions))) {
        over_phases[label] += time;
        phase += time;
      }
      ASSERT_EQ(phase, cuts[k] - cuts[k - 1]);
    }
    ASSERT_EQ(over_phases, sums(run(c)));
  }
}

// A child's parts on the critical path lie inside the parent's wait for it.
TEST(Sweep, Property7ChildrenNestInTheirParentsWait) {
  Random r(7);
  for (int i = 0; i < kCases; ++i) {
    Case c = any_case(r);
    std::erase_if(c.conditions, [](const auto& x) { return x.behind == 9 || x.label == Label::down_wait; });
    const Nanos from = between(r, c.from, c.to - 1), to = between(r, from + 1, c.to);
    c.conditions.push_back({from, to, Label::down_wait, Evidence::measured, 9});
    for (const auto& p : run(c)) {
      if (p.behind != 9 || p.label != Label::down_wait) continue;
      ASSERT_GE(p.from, from);
      ASSERT_LE(p.to, to);
    }
  }
}

TEST(Sweep, Property8ALossChangesNothingOutsideItself) {
  Random r(8);
  for (int i = 0; i < kCases; ++i) {
    Case c = any_case(r);
    std::erase_if(c.conditions, [](const auto& x) { return x.label == Label::unexplained_lost; });
    const auto before = run(c);
    const Nanos from = between(r, c.from, c.to - 1), to = between(r, from + 1, c.to);
    c.conditions.push_back({from, to, Label::unexplained_lost});
    const auto after = run(c);
    for (Nanos t = c.from; t < c.to; ++t)
      ASSERT_EQ(label_in(after, t), t >= from && t < to ? Label::unexplained_lost : label_in(before, t));
  }
}

// A Go handler with one downstream call under a quota of 30 ms in 100 ms.
std::vector<Condition> worked_example() {
  using enum Label;
  const auto us = [](std::int64_t n) { return n * 1000; };
  return {
      {us(0), us(12), q_notice},
      {us(12), us(35), sched_runq},
      {us(35), us(60), go_runnable},
      {us(60), us(420), cpu_user},
      {us(420), us(450), cpu_kernel},
      {us(450), us(31'200), down_wait},
      {us(31'000), us(33'400), go_stw},
      {us(31'200), us(33'410), go_runnable},  // goready; an M was woken for it at 33 410
      {us(33'410), us(33'700), sched_runq},
      {us(33'700), us(34'900), cpu_user},
      {us(34'900), us(47'900), sched_throttled},
      {us(47'900), us(48'250), cpu_user},
      {us(48'250), 48'312'450, cpu_kernel},
  };
}

TEST(Sweep, WorkedExample) {
  using enum Label;
  EXPECT_EQ(sums(sweep(0, 48'312'450, worked_example())), (std::map<Label, Nanos>{{down_wait, 30'750'000},
                                                                                  {sched_throttled, 13'000'000},
                                                                                  {go_stw, 2'200'000},
                                                                                  {cpu_user, 1'910'000},
                                                                                  {sched_runq, 313'000},
                                                                                  {cpu_kernel, 92'450},
                                                                                  {go_runnable, 35'000},
                                                                                  {q_notice, 12'000}}));
}

TEST(Sweep, WorkedExampleWithoutStopsOfTheWorld) {
  using enum Label;
  auto conditions = worked_example();
  std::erase_if(conditions, [](const auto& c) { return c.label == go_stw; });
  auto with = sums(sweep(0, 48'312'450, worked_example()));
  auto without = sums(sweep(0, 48'312'450, conditions));
  EXPECT_EQ(without[go_runnable], 2'210'000 + 25'000);
  with.erase(go_stw);
  with.erase(go_runnable);
  without.erase(go_runnable);
  EXPECT_EQ(with, without);
}

TEST(Sweep, NothingKnownHasNoCarrier) {
  EXPECT_EQ(sweep(5, 9, {}), (std::vector<Condition>{{5, 9, Label::unexplained_nocarrier}}));
  EXPECT_TRUE(sweep(5, 5, {}).empty());
}

}  // namespace
}  // namespace tailcap::partition
