// Produced = recorded + lost, by kind, if a ring or table is too small, compared with the workload's own counts.
//
// If a ring is full, the kernel counts every record, so the sums are exact. Nothing counts entries that a full table
// evicts, so the facts that needed the entry are unknown, never wrong.
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <tuple>

#include "tests/bpf/recording.h"

namespace tailcap::test {
namespace {

using namespace formats;

// The workload's lines that begin with this word, each split into the words behind it.
std::vector<std::vector<std::string>> lines_of(const Recorded& recorded, const std::string& word) {
  std::vector<std::vector<std::string>> out;
  std::istringstream text(recorded.said);
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::string first, rest;
    if (!(words >> first) || first != word) continue;
    for (out.emplace_back(); words >> rest;) out.back().push_back(rest);
  }
  return out;
}

std::map<std::string, std::uint64_t> produced_by(const Recorded& recorded) {
  std::map<std::string, std::uint64_t> produced;
  for (const auto& line : lines_of(recorded, "produced")) produced[line[0]] = std::stoull(line[1]);
  return produced;
}

std::uint64_t count(const std::map<int, std::uint64_t>& by_kind, Kind kind) {
  const auto found = by_kind.find(static_cast<int>(kind));
  return found == by_kind.end() ? 0 : found->second;
}

std::uint64_t sum(const std::map<int, std::uint64_t>& by_kind) {
  std::uint64_t all = 0;
  for (const auto& [kind, number] : by_kind) all += number;
  return all;
}

// Sockets that the command inherited from the recorder; the first keyframe describes them.
std::uint64_t existing_sockets(const Recorded& recorded) {
  std::uint64_t existed = 0;
  for (const auto& [socket, infos] : recorded.seen.sockets) existed += infos.front().origin == Origin::existed;
  return existed;
}

class Overload : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const auto reason = reason_to_skip(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  }
  Recorded record(const std::string& scenario, std::vector<std::string> arguments,
                  const std::vector<std::string>& maps = {}) {
    arguments.insert(arguments.end(), {"--tier", GetParam()});
    return record_workload(scenario, arguments, maps);
  }
  bool tier_a() const { return GetParam() == std::string("a"); }
};

constexpr const char* kRings[] = {"64MiB", "4KiB"};  // large enough, and one page

TEST_P(Overload, ConnectionsAndTasks) {
  const std::pair<const char*, Kind> kinds[] = {
      {"send", Kind::send},           {"receive", Kind::receive},           {"arrival", Kind::arrival},
      {"reset", Kind::reset},         {"state_change", Kind::state_change}, {"accept", Kind::accept},
      {"socket", Kind::socket_info},  {"task_start", Kind::task_start},     {"task_exec", Kind::task_exec},
      {"task_exit", Kind::task_exit},
  };
  for (const char* ring : kRings) {
    const auto recorded =
        record("connections_and_tasks", {"--ring", ring, "--rings", "1", "--only", "io,arrivals,net,tasks"});
    const auto produced = produced_by(recorded);
    const bool large = ring == kRings[0];
    EXPECT_EQ(recorded.code, large ? 0 : 3) << recorded.said;
    for (const auto& [name, kind] : kinds) {
      // Tier A gets the same fact from the state of the connection.
      if (kind == Kind::accept && tier_a()) continue;
      const auto lost = count(recorded.seen.lost, kind);
      const auto existed = kind == Kind::socket_info ? existing_sockets(recorded) : 0;
      EXPECT_EQ(count(recorded.seen.kinds, kind) - existed + lost, produced.at(name)) << name << ", ring of " << ring;
      EXPECT_EQ(lost == 0, large) << name;
    }
  }
}

// A ring of 2 MiB with its spill; a ring of 4 MiB without.
TEST_P(Overload, BurstsGoToTheSpill) {
  for (const char* ring : {"16MiB", "4MiB"}) {
    const bool spills = ring == std::string("16MiB");
    const auto recorded = record("bursts", {"--ring", ring, "--rings", "1", "--only", "io"});
    const auto produced = produced_by(recorded);
    EXPECT_EQ(recorded.code, spills ? 0 : 3) << recorded.said;
    for (const auto& [name, kind] : {std::pair("send", Kind::send), std::pair("receive", Kind::receive)}) {
      const auto lost = count(recorded.seen.lost, kind);
      // Without the two outputs of the workload.
      EXPECT_GE(count(recorded.seen.kinds, kind) + lost, produced.at(name)) << name << ", ring of " << ring;
      EXPECT_LE(count(recorded.seen.kinds, kind) + lost, produced.at(name) + 4) << name << ", ring of " << ring;
      EXPECT_EQ(lost == 0, spills) << name;
    }
    EXPECT_LT(recorded.seen.turned_back * 20, recorded.seen.out.size() + recorded.seen.in.size() + produced.at("send"));
  }
}

TEST_P(Overload, Opens) {
  for (const char* ring : kRings) {
    const auto recorded = record("opens", {"--ring", ring, "--rings", "1", "--only", "files"});
    const auto lost = count(recorded.seen.lost, Kind::file_call);
    const auto opened = std::count_if(recorded.seen.file_calls.begin(), recorded.seen.file_calls.end(),
                                      [](const auto& call) { return call.second == "/proc/tailcap-overload"; });
    EXPECT_EQ(static_cast<std::uint64_t>(opened) + lost, produced_by(recorded).at("file_call"));
    EXPECT_EQ(lost == 0, ring == kRings[0]);
  }
}

// The kernel counts how often it switches a thread out. A thread's next record carries the number of its lost ones.
TEST_P(Overload, Waits) {
  for (const char* ring : kRings) {
    const auto recorded = record("overload_waits", {"--ring", ring, "--rings", "1", "--only", "offcpu"});
    std::uint64_t all_missed = 0;
    for (const auto& event : recorded.seen.waits) all_missed += std::get<OffCpu>(event.body).missed;
    const auto threads = lines_of(recorded, "switches");
    EXPECT_EQ(threads.size(), 3u);
    for (const auto& thread : threads) {
      std::uint64_t got = 0;
      for (const auto& event : recorded.seen.waits) {
        if (event.thread.tid != std::stoul(thread[0]) || event.time.time_since_epoch().count() > std::stoll(thread[1]))
          continue;
        got += 1 + std::get<OffCpu>(event.body).missed;
      }
      --got;  // its wait for its first CPU, which is no switch-out
      EXPECT_EQ(got, std::stoull(thread[2])) << "thread " << thread[0] << ", ring of " << ring;
    }
    const auto lost = count(recorded.seen.lost, Kind::off_cpu);
    // A few are lost with any ring: the kernel does not run a program inside another one.
    if (ring == kRings[0])
      EXPECT_LT(lost * 100, recorded.seen.waits.size());
    else
      EXPECT_GT(lost, 0u);
    EXPECT_GE(all_missed + recorded.seen.waits.size() / 100, lost);
  }
}

// A full table that evicts nothing: every call is counted or lost.
TEST_P(Overload, TableOfUnrecordedTraffic) {
  for (const bool small : {false, true}) {
    const auto recorded =
        record("udp", {"--only", "io"}, small ? std::vector<std::string>{"unrecorded=1"} : std::vector<std::string>{});
    const auto processes = lines_of(recorded, "calls");
    ASSERT_EQ(processes.size(), 2u);
    std::uint64_t produced = 0, counted = 0;
    for (const auto& process : processes) {
      produced += std::stoull(process[1]);
      const auto note = recorded.seen.notes.find("tailcap.unrecorded." + process[0] + ".udp");
      if (note == recorded.seen.notes.end()) continue;
      const auto text = note->second.substr(note->second.find(" in ") + 4);
      counted += std::stoull(text);
    }
    const auto lost = sum(recorded.seen.lost);
    EXPECT_EQ(counted + lost, produced) << recorded.said;
    EXPECT_EQ(lost, small ? produced / 2 : 0);
  }
}

// Tier C's table of sockets evicts: all I/O is recorded, and the count of lost sockets may exceed the number of evicted
// ones, but never be lower.
TEST_P(Overload, TableOfSockets) {
  if (tier_a()) GTEST_SKIP() << "tier A keeps nothing in that table";
  const auto recorded = record("many_sockets", {"--only", "io"}, {"sockets_by_address=16"});
  const auto produced = produced_by(recorded);
  EXPECT_EQ(count(recorded.seen.kinds, Kind::send), produced.at("send"));
  EXPECT_EQ(count(recorded.seen.kinds, Kind::receive), produced.at("receive"));
  std::uint64_t anew = 0;
  for (const auto& [socket, infos] : recorded.seen.sockets) anew += infos.size() - 1;
  EXPECT_GT(anew, 0u) << "nothing was forgotten";
  EXPECT_GE(count(recorded.seen.lost, Kind::socket_info), anew);
  EXPECT_EQ(recorded.code, 3);
}

class Forgotten : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_F(Forgotten, StopSignals) {
  for (const bool small : {false, true}) {
    const auto recorded =
        record_workload("stops", {}, small ? std::vector<std::string>{"stops=4"} : std::vector<std::string>{});
    int right = 0, unknown = 0;
    for (const auto& line : lines_of(recorded, "stop")) {
      const std::tuple truth(std::stoull(line[1]), std::stoull(line[2]));
      for (const auto& event : recorded.seen.waits) {
        const auto& off = std::get<OffCpu>(event.body);
        if (event.thread.tid != std::stoul(line[0]) || !(off.state & 4)) continue;
        const std::tuple told(off.argument0, off.argument1);
        if (told == std::tuple(std::uint64_t{0}, std::uint64_t{0}))
          unknown++;
        else if (told == truth)
          right++;
        else
          ADD_FAILURE() << "stopped by signal " << off.argument0 << " of " << off.argument1;
      }
    }
    EXPECT_EQ(right + unknown, 23);
    EXPECT_EQ(unknown > 0, small);
  }
}

TEST_F(Forgotten, Ios) {
  struct statfs files {};
  if (statfs(std::filesystem::temp_directory_path().c_str(), &files) == 0 && files.f_type == TMPFS_MAGIC)
    GTEST_SKIP() << "files are in memory here";
  std::size_t told[2] = {};
  for (const bool small : {false, true}) {
    const auto recorded =
        record_workload("reads", {}, small ? std::vector<std::string>{"queued_ios=1"} : std::vector<std::string>{});
    const auto threads = lines_of(recorded, "reads");
    if (threads.empty()) GTEST_SKIP() << "there is no direct I/O here";
    for (const auto& thread : threads) {
      for (const auto& event : recorded.seen.stalls) {
        const auto& stall = std::get<Stall>(event.body);
        if (event.thread.tid != std::stoul(thread[0]) || stall.what != StallKind::block_io) continue;
        told[small]++;
        EXPECT_EQ(stall.detail, std::stoul(thread[1])) << "another thread's I/O";
      }
    }
    for (const auto& thread : lines_of(recorded, "maps")) {
      EXPECT_EQ(std::count_if(recorded.seen.stalls.begin(), recorded.seen.stalls.end(),
                              [&](const Event& event) {
                                return event.thread.tid == std::stoul(thread[0]) &&
                                       std::get<Stall>(event.body).what == StallKind::block_io;
                              }),
                0)
          << "it waits for a lock";
    }
  }
  EXPECT_GT(told[0], 0u);
  EXPECT_LT(told[1], told[0]) << "nothing was forgotten";
}

// Whether two threads need the table's only entry at once depends on timing.
TEST_F(Forgotten, PathsOfSlowCalls) {
  int known = 0, unknown = 0;
  for (int attempt = 0; attempt < 20 && unknown == 0; attempt++) {
    const auto recorded = record_workload("reads", {"--only", "files,offcpu", "--slow-file", "1us"}, {"slow_files=1"});
    if (lines_of(recorded, "reads").empty()) GTEST_SKIP() << "there is no direct I/O here";
    EXPECT_EQ(sum(recorded.seen.lost), 0u) << "calls without a path are recorded";
    for (const auto& [event, path] : recorded.seen.file_calls) {
      if (std::get<FileCall>(event.body).act != FileAct::read) continue;
      known += path.find("/tailcap-overload-") != path.npos;
      unknown += path.empty();
    }
  }
  EXPECT_GT(known, 0);
  EXPECT_GT(unknown, 0);
}

INSTANTIATE_TEST_SUITE_P(Tier, Overload, testing::Values("a", "c"),
                         [](const auto& tier) { return std::string(tier.param); });

}  // namespace
}  // namespace tailcap::test
