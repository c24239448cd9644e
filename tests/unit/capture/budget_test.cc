// The controller of --budget against a machine that is simulated here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/budget/amount.h"
#include "capture/budget/controller.h"
#include "capture/budget/policy_share.h"
#include "capture/options/options.h"

namespace tailcap::capture::budget {
namespace {

constexpr double kBudget = 0.02, kEvery = 0.25;

// What recording costs at a load of 1: a part for every connection that is recorded, a part for each of all.
struct Machine {
  double part = 0.1, fixed = 0.005, idle = 0.001, extras = 0, waits = 0;
  double noise = 0;  // of the cost
  std::uint64_t random = 1;

  double cost(double load, const Step& step) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const double wave = 2 * (static_cast<double>(random >> 33) / (1u << 31)) - 1;
    const double left =
        (step.looks ? fixed + part / step.of : 0) + (step.extras ? extras : 0) + (step.waits ? waits : 0);
    return (idle + load * left) * (1 + noise * wave);
  }
  // The programs of waits cost this part: the recorder has as much to do with what they record.
  double programs(double load, const Step& step) const { return step.waits ? load * waits / 2 : 0; }
};

struct Course {
  std::vector<double> costs;  // one each kEvery
  std::vector<Step> steps;
  std::size_t changes = 0;

  double mean(double from, double to) const {
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < costs.size(); i++) {
      const double at = static_cast<double>(i) * kEvery;
      if (at < from || at >= to) continue;
      sum += costs[i];
      n++;
    }
    return sum / n;
  }
  double worst(double from, double width) const {
    double most = 0;
    for (double at = from; at + width <= static_cast<double>(costs.size()) * kEvery; at += kEvery)
      most = std::max(most, mean(at, at + width));
    return most;
  }
  std::size_t changes_since(double from) const {
    std::size_t n = 0;
    for (auto i = static_cast<std::size_t>(from / kEvery) + 1; i < steps.size(); i++) n += steps[i] != steps[i - 1];
    return n;
  }
};

Course simulate(Machine machine, double seconds, const std::function<double(double)>& load, std::uint32_t of = 1) {
  Controller controller(kBudget, of, machine.extras > 0, machine.waits > 0);
  Course run;
  bool settled = true;
  for (double at = 0; at < seconds; at += kEvery) {
    const double cost = machine.cost(load(at), controller.step());
    run.costs.push_back(cost);
    run.steps.push_back(controller.step());
    // As the meter does it: the first interval after a step is not of that step alone.
    if (!settled) {
      settled = true;
      continue;
    }
    if (controller.measured(kEvery, {cost, machine.programs(load(at), controller.step()), 1000 * load(at)})) {
      run.changes++;
      settled = false;
    }
  }
  return run;
}

TEST(Budget, AConstantLoadIsKeptWithin) {
  for (const double load : {0.05, 0.3, 1.0, 3.0}) {
    const Course run = simulate({}, 120, [&](double) { return load; });
    EXPECT_LE(run.worst(3, 1), 1.1 * kBudget) << load;
    EXPECT_LE(run.changes_since(20), 0u) << load;
    // And not far below it, where less is recorded than there is.
    if (run.steps.back().of > 1) {
      EXPECT_GE(run.mean(60, 120), 0.45 * kBudget) << load;
    }
  }
}

TEST(Budget, NothingIsLeftOutWhereThereIsRoom) {
  const Course run = simulate({}, 60, [](double) { return 0.1; });
  EXPECT_EQ(run.changes, 0u);
  EXPECT_EQ(run.steps.back().of, 1u);
}

TEST(Budget, AStepOfTheLoad) {
  const Course run = simulate({}, 90, [](double at) { return at < 30 ? 0.05 : at < 60 ? 2.0 : 0.05; });
  EXPECT_LE(run.mean(0, 30), kBudget);
  EXPECT_LE(run.worst(32, 1), 1.1 * kBudget);
  EXPECT_GT(run.steps[static_cast<std::size_t>(55 / kEvery)].of, 8u);
  EXPECT_EQ(run.steps.back().of, 1u) << "it steps up again";
}

TEST(Budget, AllAtOnceFromIdleToSaturationAndBack) {
  Machine machine;
  machine.fixed = 0.0005;
  const Course run = simulate(machine, 100, [](double at) { return at < 20 || at > 60 ? 0.0 : 30.0; });
  EXPECT_LE(run.worst(23, 1), 1.1 * kBudget);
  EXPECT_EQ(run.steps.back().of, 1u);
}

TEST(Budget, ALoadThatDoublesEveryTenSeconds) {
  for (const double noise : {0.0, 0.1}) {
    Machine machine;
    machine.fixed = 0.0002;
    machine.noise = noise;
    const Course run = simulate(machine, 90, [](double at) { return 0.05 * std::pow(2, std::floor(at / 10)); });
    EXPECT_LE(run.worst(0, 10), 1.1 * kBudget) << noise;
    EXPECT_LE(run.mean(0, 90), 1.1 * kBudget) << noise;
  }
}

TEST(Budget, BurstsArePaidBack) {
  Machine machine;
  machine.fixed = 0.001;
  // A second at ten times the load, every eight.
  const Course run = simulate(machine, 240, [](double at) { return std::fmod(at, 8) < 1 ? 3.0 : 0.3; });
  EXPECT_LE(run.worst(40, 40), 1.1 * kBudget);
}

TEST(Budget, NoiseCausesFewSteps) {
  Machine machine;
  machine.noise = 0.25;
  const Course run = simulate(machine, 300, [](double) { return 1.0; });
  EXPECT_LE(run.mean(10, 300), 1.1 * kBudget);
  EXPECT_LE(run.changes_since(60), 12u);
}

// What it costs without any connection is more than the budget: it looks now and then, and says so.
TEST(Budget, SaysThatItCannotBeKept) {
  Controller controller(kBudget, 1, false, false);
  double looks = 0, seconds = 0;
  bool said = false;
  for (int i = 0; i < 1200; i++) {
    controller.measured(kEvery, {0.03 + (controller.step().looks ? 0.1 / controller.step().of : 0)});
    looks += controller.step().looks ? kEvery : 0;
    seconds += kEvery;
    said = said || controller.above();
  }
  EXPECT_TRUE(said);
  EXPECT_TRUE(controller.above());
  EXPECT_GT(looks, 15);
  EXPECT_LT(looks, 0.25 * seconds);
  for (int i = 0; i < 600; i++) controller.measured(kEvery, {0.001 + 0.001 / controller.step().of});
  EXPECT_FALSE(controller.above());
  EXPECT_EQ(controller.step(), (Step{true, 1, true, true}));
}

// What every connection costs, recorded or not, is more than the budget.
TEST(Budget, LooksKeepItWhereNothingElseDoes) {
  for (const double load : {6.0, 12.0, 40.0, 100.0}) {
    for (const double noise : {0.0, 0.2}) {
      Machine machine;
      machine.part = 5 * machine.fixed;
      machine.noise = noise;
      const Course run = simulate(machine, 900, [&](double) { return load; });
      EXPECT_LE(run.mean(10, 900), 1.05 * kBudget) << load;
      EXPECT_LE(run.worst(60, 120), 1.3 * kBudget) << load;
      double looks = 0, recorded = 0;
      for (std::size_t i = 1200; i < run.steps.size(); i++) {
        looks += run.steps[i].looks ? kEvery : 0;
        recorded += run.steps[i].looks ? kEvery / run.steps[i].of : 0;
      }
      EXPECT_GT(looks, 8) << load;
      // More is recorded than with the smallest share all the time.
      EXPECT_GT(recorded, 600.0 / Controller::kMostOf) << load;
      EXPECT_LE(run.changes_since(300), 2 * 600 / 5.0) << load;
    }
  }
}

TEST(Budget, LooksEndWhereASmallerShareIsEnough) {
  Machine machine;
  const Course run = simulate(machine, 600, [&](double at) { return at < 200 ? 20.0 : at < 400 ? 2.0 : 0.1; });
  EXPECT_LE(run.mean(0, 600), 1.05 * kBudget);
  const auto paused = [&](double from, double to) {
    double sum = 0;
    for (auto i = static_cast<std::size_t>(from / kEvery); i < static_cast<std::size_t>(to / kEvery); i++)
      sum += run.steps[i].looks ? 0 : kEvery;
    return sum;
  };
  EXPECT_GT(paused(20, 200), 90);
  EXPECT_EQ(paused(280, 400), 0) << "2.0 is met by a share alone";
  EXPECT_EQ(run.steps.back(), (Step{true, 1, true, true}));
}

TEST(Budget, ALookThatFailsIsTriedAgain) {
  Controller controller(kBudget, 1, false, false);
  const auto measure = [&] { return controller.measured(kEvery, {controller.step().looks ? 0.05 : 0.001, 0, 1}); };
  while (controller.step().looks) measure();
  int pauses = 0;
  for (int i = 0; i < 1000; i++) {
    if (!measure() || !controller.step().looks) continue;
    controller.look(false);
    pauses++;
  }
  EXPECT_FALSE(controller.step().looks);
  EXPECT_GT(pauses, 2);
  // What it costs is not measured any more: all that is left is to record.
  controller.look(true);
  EXPECT_TRUE(controller.step().looks);
}

TEST(Budget, StacksGoFirstAndComeBackLast) {
  Machine machine;
  machine.part = 0.012;
  machine.extras = 0.01;
  const Course run = simulate(machine, 120, [](double at) { return at < 40 ? 1.0 : at < 80 ? 4.0 : 0.1; });
  bool seen_down = false;
  for (const Step& step : run.steps) {
    if (step.of > 1) {
      EXPECT_FALSE(step.extras);
      seen_down = true;
    }
  }
  EXPECT_TRUE(seen_down);
  EXPECT_EQ(run.steps[static_cast<std::size_t>(35 / kEvery)], (Step{false, 1, true}));
  EXPECT_EQ(run.steps.back(), (Step{true, 1, true}));
}

TEST(Budget, WaitsGoWhereASmallerShareDoesNotHelp) {
  for (const double noise : {0.0, 0.1}) {
    Machine machine;
    machine.part = 0.03;
    machine.fixed = 0.004;
    machine.waits = 0.024;
    machine.noise = noise;
    // A smaller share alone would do; nothing would but to leave out waits; the first again; all of it.
    const Course run = simulate(machine, 400, [](double at) {
      return at < 100 ? 0.6 : at < 200 ? 1.0 : at < 300 ? 0.6 : 0.05;
    });
    EXPECT_LE(run.worst(105, 1), 1.15 * kBudget) << noise;
    EXPECT_LE(run.mean(0, 400), kBudget) << noise;
    const auto at = [&](double time) { return run.steps[static_cast<std::size_t>(time / kEvery)]; };
    EXPECT_TRUE(at(95).waits) << noise;
    EXPECT_GT(at(95).of, 1u) << noise;
    EXPECT_FALSE(at(195).waits) << noise;
    EXPECT_TRUE(at(295).waits) << noise;
    EXPECT_EQ(at(399), (Step{true, 1, true})) << noise;
    EXPECT_LE(run.changes_since(310), 12u) << noise;
  }
}

// Then all connections may be recorded.
TEST(Budget, WaitsGoAtOnceWhereTheirProgramsAloneAreTooMuch) {
  Controller controller(kBudget, 1, false, true);
  for (int i = 0; i < 40; i++)
    controller.measured(kEvery,
                        controller.step().waits ? Controller::Cost{0.039, 0.03, 10} : Controller::Cost{0.009, 0, 10});
  EXPECT_EQ(controller.step(), (Step{true, 1, false}));
  EXPECT_FALSE(controller.above());
  for (int i = 0; i < 400; i++)
    controller.measured(kEvery,
                        controller.step().waits ? Controller::Cost{0.0039, 0.003, 1} : Controller::Cost{0.0009, 0, 1});
  EXPECT_EQ(controller.step(), (Step{true, 1, true}));
}

// Neither a smaller share nor leaving out waits is enough: looks.
TEST(Budget, LooksComeAfterWaits) {
  Controller controller(kBudget, 1, false, true);
  bool looked = false;
  for (int i = 0; i < 400; i++) {
    const Step& step = controller.step();
    if (!step.looks) {
      EXPECT_FALSE(step.waits);
      looked = true;
    }
    controller.measured(kEvery, {step.looks ? (step.waits ? 0.05 : 0.03) + 0.1 / step.of : 0.001, 0.01, 1});
  }
  EXPECT_TRUE(looked);
  EXPECT_FALSE(controller.step().waits);
  EXPECT_FALSE(controller.above());
}

TEST(Budget, WaitsThatTheKernelRefusesDoNotReturn) {
  Controller controller(kBudget, 1, false, true);
  while (controller.step().waits) controller.measured(kEvery, {0.09, 0.05, 1});
  while (!controller.step().waits) controller.measured(kEvery, {0.001, 0, 0.1});
  controller.waits_are_gone();
  for (int i = 0; i < 1000; i++) controller.measured(kEvery, {0.001, 0, 0.1});
  EXPECT_EQ(controller.step(), (Step{true, 1, false}));
}

TEST(Budget, WaitsThatWereWronglyRecordedAgainAreTriedLessAndLess) {
  Machine machine;
  machine.part = 0.001;
  machine.fixed = 0.001;
  machine.waits = 0.1;
  const Course run = simulate(machine, 600, [](double at) { return std::fmod(at, 5) < 0.5 ? 1.0 : 0.02; });
  EXPECT_LE(run.worst(20, 60), 1.1 * kBudget);
  EXPECT_LE(run.changes_since(120), 60u);
}

TEST(Budget, TheLargestShareIsTheOneAskedFor) {
  const Course run = simulate(
      {}, 120, [](double at) { return at < 40 ? 10.0 : 0.01; }, 6);
  EXPECT_EQ(run.steps.front().of, 6u);
  EXPECT_GT(run.steps[static_cast<std::size_t>(35 / kEvery)].of, 6u);
  EXPECT_EQ(run.steps.back().of, 6u);
}

// A policy asks for a share: the budget may have a smaller one, and steps up to no larger one.
TEST(Budget, APolicysShareIsTheLargest) {
  Controller controller(kBudget, 2, false, false);
  EXPECT_FALSE(controller.limit(1)) << "one in two was asked for at the beginning";
  EXPECT_TRUE(controller.limit(16));
  EXPECT_EQ(controller.step().of, 16u);
  for (int i = 0; i < 400; i++) controller.measured(kEvery, {0.0001});
  EXPECT_EQ(controller.step().of, 16u);
  for (int i = 0; i < 40; i++) controller.measured(kEvery, {0.001 + 3.2 / controller.step().of});
  EXPECT_GT(controller.step().of, 16u);
  const auto by_cost = controller.step().of;
  EXPECT_FALSE(controller.limit(32));
  EXPECT_EQ(controller.step().of, by_cost);
  EXPECT_FALSE(controller.limit(1));
  for (int i = 0; i < 400; i++) controller.measured(kEvery, {0.0001});
  EXPECT_EQ(controller.step().of, 2u);
}

TEST(Budget, SharesThatAreAskedFor) {
  const auto asked = read_asked_share("1/8\nwhy=policy.yaml: rate 10% while busy");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->of, 8u);
  EXPECT_EQ(asked->why, "policy.yaml: rate 10% while busy");
  EXPECT_EQ(read_asked_share("1/1")->of, 1u);
  EXPECT_EQ(read_asked_share("1/65536")->of, 65536u);
  for (const char* wrong : {"", "1", "8", "1/", "1/0", "1/-1", "1/65537", "1/99999999999", "2/8", "1/8 why=x",
                            "1/8\nlast=1", "1/8\nwhy=a\nb", "1/8x"})
    EXPECT_FALSE(read_asked_share(wrong)) << wrong;
  EXPECT_FALSE(read_asked_share("1/8\nwhy=" + std::string(300, 'x')));
}

TEST(Budget, AmountsAreShares) {
  EXPECT_DOUBLE_EQ(parse_share_of_cpus("2%"), 0.02);
  EXPECT_DOUBLE_EQ(parse_share_of_cpus("0.5%"), 0.005);
  for (const char* wrong : {"", "%", "2", "2 %", "0%", "-1%", "51%", "1e1%", "nan%", "0x2%", "2%%", "0.01%"})
    EXPECT_THROW((void)parse_share_of_cpus(wrong), std::invalid_argument) << wrong;
}

Options parsed(std::vector<std::string> words) {
  words.insert(words.begin(), {"tailcap-record", "-a"});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Budget, Options) {
  const Options in_files = parsed({"--budget", "2%", "--rotate", "10MB", "--sample-seed", "7"});
  EXPECT_DOUBLE_EQ(in_files.budget, 0.02);
  EXPECT_TRUE(in_files.probes.connections.varies);
  EXPECT_EQ(in_files.probes.connections.of, 1u);
  EXPECT_EQ(in_files.probes.connections.seed, 7u);
  EXPECT_EQ(parsed({"--budget", "2%", "--last", "60s", "--sample-connections", "1/4"}).probes.connections.of, 4u);
  EXPECT_FALSE(parsed({"--rotate", "10MB", "--sample-connections", "1/4"}).probes.connections.varies);
  EXPECT_TRUE(parsed({"--last", "60s", "--sample-varies"}).probes.connections.varies);
  const std::vector<std::string> wrong[] = {{"--sample-varies"},
                                            {"--last", "60s", "--sample-varies", "--tls", "keys"},
                                            {"--budget", "2%"},
                                            {"--budget", "2%", "-o", "one.tcap"},
                                            {"--budget", "2", "--last", "60s"},
                                            {"--budget", "2%", "--last", "60s", "--tls", "keys"},
                                            {"--budget", "2%", "--last", "60s", "--profile", "node"},
                                            {"--rotate", "10MB", "--sample-seed", "7"}};
  for (const auto& words : wrong) EXPECT_THROW((void)parsed(words), UsageError) << words.back();
}

}  // namespace
}  // namespace tailcap::capture::budget
