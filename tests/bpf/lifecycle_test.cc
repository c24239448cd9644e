// Which processes the recorder records, and that it leaves nothing behind.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/bpf/recording.h"

namespace tailcap::test {
namespace {

using namespace formats;
using namespace std::chrono_literals;

class Lifecycle : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
  }
  Scratch scratch_;
};

template <class Condition>
bool wait_until(Condition condition) {
  for (int i = 0; i < 400; i++) {
    if (condition()) return true;
    std::this_thread::sleep_for(25ms);
  }
  return false;
}

// True if the file has two blocks: the preamble, then the first keyframe, which comes when everything is attached.
bool recording(const std::string& capture) {
  std::error_code error;
  const auto size = std::filesystem::file_size(capture + ".partial", error);
  if (error) return false;
  std::ifstream file(capture + ".partial", std::ios::binary);
  std::string bytes(size, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  if (bytes.size() < 12) return false;
  const std::string magic = bytes.substr(8, 4);  // after the skippable frame's own header
  std::size_t blocks = 0;
  for (auto at = bytes.find(magic); at != bytes.npos; at = bytes.find(magic, at + 4)) blocks++;
  return blocks >= 2;
}

// An existing process with connections: waits for a byte on its standard input, then uses them.
struct Existing {
  explicit Existing(const Scratch& scratch, const std::string& name)
      : process({WORKLOAD, "existing", scratch / (name + ".books")}, scratch / (name + ".log"), true),
        books(scratch / (name + ".books")) {
    EXPECT_TRUE(wait_until([&] { return process.said().find('\n') != std::string::npos; }));
    port = process.said().substr(0, process.said().find('\n'));
  }
  void go() {
    EXPECT_EQ(::write(process.input(), "g", 1), 1);
    EXPECT_EQ(process.wait(), 0);
  }
  Process process;
  std::string books, port;
};

std::vector<unsigned> program_ids(pid_t pid) {
  std::vector<unsigned> ids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    std::ifstream info(entry.path());
    std::string word;
    unsigned value = 0;
    while (info >> word) {
      if (word == "prog_id:" && info >> value) ids.push_back(value);
    }
  }
  return ids;
}

bool program_exists(unsigned id) {
  const int descriptor = bpf_prog_get_fd_by_id(id);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0 || errno != ENOENT;
}

TEST_F(Lifecycle, ExistingConnections) {
  for (const std::string tier : {"a", "c"}) {
    if (!reason_to_skip(tier).empty()) continue;
    Existing target(scratch_, tier);
    const auto capture = scratch_ / (tier + ".tcap");
    Process recorder(
        {RECORDER, "--tier", tier, "-p", std::to_string(target.process.pid()), "-o", capture, "--payload-raw"},
        scratch_ / "log");
    ASSERT_TRUE(wait_until([&] { return recording(capture); })) << recorder.said();
    target.go();
    // It was the only target: the recording ends with it.
    Recorded recorded;
    recorded.code = recorder.wait();
    recorded.said = recorder.said();
    EXPECT_NE(recorded.said.find("the end of all recorded processes"), std::string::npos) << recorded.said;
    recorded.books = read_books(target.books);
    recorded.seen = read_capture(capture);
    int existed = 0, listeners = 0;
    for (const auto& [socket, infos] : recorded.seen.sockets) {
      existed += infos.front().origin == Origin::existed;
      listeners += infos.front().origin == Origin::listener;
    }
    EXPECT_EQ(existed, 4);  // both ends of the connection and of the pair
    EXPECT_EQ(listeners, 1);
    for (const auto& [socket, account] : recorded.books) {
      const auto& infos = recorded.seen.sockets.at(socket);
      for (const auto& seen : recorded.seen.out[socket]) {
        EXPECT_TRUE(infos.front().family != Family::inet || seen.io.position == infos.front().next_out);
      }
    }
    expect_exact(recorded);
  }
}

TEST_F(Lifecycle, ByPortOnlyThatConnection) {
  Existing target(scratch_, "port");
  const auto capture = scratch_ / "port.tcap";
  Process recorder({RECORDER, "--port", target.port, "-o", capture}, scratch_ / "log");
  ASSERT_TRUE(wait_until([&] { return recording(capture); })) << recorder.said();
  target.go();
  recorder.signal(SIGINT);
  EXPECT_EQ(recorder.wait(), 0) << recorder.said();
  const auto seen = read_capture(capture);
  EXPECT_EQ(seen.out.size(), 1u);
  EXPECT_EQ(seen.out.begin()->second.front().io.length, 83u);
  EXPECT_TRUE(seen.pids.contains(static_cast<std::uint32_t>(target.process.pid())));
}

TEST_F(Lifecycle, ByCgroupNobodyElse) {
  std::string unified;
  std::ifstream mounts("/proc/self/mounts");
  for (std::string device, where, type, rest; mounts >> device >> where >> type && std::getline(mounts, rest);) {
    if (type == "cgroup2") unified = where;
  }
  if (unified.empty()) GTEST_SKIP() << "no unified cgroup hierarchy is mounted";
  const std::string group = unified + "/tailcap-test-" + std::to_string(getpid());
  ASSERT_EQ(mkdir(group.c_str(), 0755), 0) << group;
  {
    Existing inside(scratch_, "inside"), outside(scratch_, "outside"), late(scratch_, "late");
    std::ofstream(group + "/cgroup.procs") << inside.process.pid();
    const auto capture = scratch_ / "cgroup.tcap";
    Process recorder({RECORDER, "--cgroup", group, "-o", capture}, scratch_ / "log");
    ASSERT_TRUE(wait_until([&] { return recording(capture); })) << recorder.said();
    std::ofstream(group + "/cgroup.procs") << late.process.pid();
    inside.go();
    outside.go();
    late.go();
    recorder.signal(SIGTERM);
    EXPECT_EQ(recorder.wait(), 0) << recorder.said();
    const auto seen = read_capture(capture);
    EXPECT_EQ(seen.pids, (std::set<std::uint32_t>{static_cast<std::uint32_t>(inside.process.pid()),
                                                  static_cast<std::uint32_t>(late.process.pid())}));
    EXPECT_EQ(seen.out.size(), 4u) << "the TCP client and one end of the pair, of each";
  }
  EXPECT_TRUE(wait_until([&] { return rmdir(group.c_str()) == 0; }));
}

TEST_F(Lifecycle, ByNameNowAndLater) {
  Existing now(scratch_, "now");
  const auto capture = scratch_ / "comm.tcap";
  Process recorder({RECORDER, "--comm", "bpf_workload", "-o", capture, "--payload-raw"}, scratch_ / "log");
  ASSERT_TRUE(wait_until([&] { return recording(capture); })) << recorder.said();
  now.go();
  Existing later(scratch_, "later");
  later.go();
  recorder.signal(SIGINT);
  EXPECT_EQ(recorder.wait(), 0) << recorder.said();
  const auto seen = read_capture(capture);
  EXPECT_TRUE(seen.pids.contains(static_cast<std::uint32_t>(now.process.pid())));
  EXPECT_TRUE(seen.pids.contains(static_cast<std::uint32_t>(later.process.pid())));
  EXPECT_GE(seen.out.size(), 4u);
}

TEST_F(Lifecycle, NeverItself) {
  const auto capture = scratch_ / "all.tcap";
  Process recorder({RECORDER, "-a", "-d", "1s", "-o", capture}, scratch_ / "log");
  const auto self = static_cast<std::uint32_t>(recorder.pid());
  ASSERT_TRUE(wait_until([&] { return recording(capture); })) << recorder.said();
  Existing other(scratch_, "other");
  other.go();
  const int code = recorder.wait();
  EXPECT_TRUE(code == 0 || code == 3) << recorder.said();
  const auto seen = read_capture(capture);
  EXPECT_FALSE(seen.pids.contains(self));
  EXPECT_TRUE(seen.pids.contains(static_cast<std::uint32_t>(getpid())));
  EXPECT_TRUE(seen.pids.contains(static_cast<std::uint32_t>(other.process.pid())));
}

TEST_F(Lifecycle, WaitsAreExplained) {
  constexpr int kFutex = 202, kClockNanosleep = 230;
  const auto recorded = record_workload("waits", {});
  unsigned sleeper = 0, woken = 0, waker = 0;
  const auto tids = recorded.said.find("tids ");
  ASSERT_NE(tids, std::string::npos) << recorded.said;
  ASSERT_EQ(std::sscanf(recorded.said.c_str() + tids, "tids %u %u %u", &sleeper, &woken, &waker), 3);
  int sleeps = 0, wakes = 0;
  for (const auto& event : recorded.seen.waits) {
    const auto& off = std::get<OffCpu>(event.body);
    // The kernel leaves wake-ups out that end a CPU's idle time; the thread ran from then on at the latest.
    const Time runnable = known(off.runnable) ? off.runnable : event.time;
    EXPECT_LE(off.left, runnable) << "made runnable before it left";
    EXPECT_LE(runnable, event.time);
    if (event.thread.tid == sleeper && off.syscall == kClockNanosleep && off.state == 1) {
      sleeps++;
      EXPECT_GE(runnable - off.left, 19ms);
      EXPECT_EQ(off.waker, 0u) << "a timer";
    }
    if (event.thread.tid == woken && off.syscall == kFutex && runnable - off.left > 10ms) {
      wakes++;
      EXPECT_EQ(off.waker, waker);
      EXPECT_NE(off.argument0, 0u);
    }
  }
  EXPECT_EQ(sleeps, 4);
  EXPECT_EQ(wakes, 1);
}

TEST_F(Lifecycle, OnlyWhatWasAskedFor) {
  const auto capture = scratch_ / "only.tcap";
  Process recorder({RECORDER, "--only", "io", "-o", capture, "--", WORKLOAD, "tcp4", scratch_ / "books"},
                   scratch_ / "log");
  EXPECT_EQ(recorder.wait(), 0) << recorder.said();
  const auto seen = read_capture(capture);
  for (const char* name : {"switch_task", "wake_up", "arrival", "task_exit"}) {
    EXPECT_EQ(std::count(seen.preamble.programs.begin(), seen.preamble.programs.end(), name), 0) << name;
  }
  EXPECT_FALSE(seen.kinds.contains(static_cast<int>(Kind::off_cpu)));
  EXPECT_FALSE(seen.kinds.contains(static_cast<int>(Kind::arrival)));
  EXPECT_TRUE(seen.kinds.contains(static_cast<int>(Kind::send)));
}

TEST_F(Lifecycle, EveryProgramLoads) {
  const std::vector<std::vector<std::string>> choices = {{"--profile", "deep", "--add", "interrupts,samples,files"},
                                                         {"--tier", "c", "--add", "files"},
                                                         {"--only", "files"},
                                                         {"--profile", "node"}};
  for (const auto& choice : choices) {
    std::vector<std::string> command = {RECORDER, "-a", "--dry-run"};
    command.insert(command.end(), choice.begin(), choice.end());
    Process recorder(command, scratch_ / "log");
    EXPECT_EQ(recorder.wait(), 0) << choice[1] << ": " << recorder.said();
  }
}

TEST_F(Lifecycle, FilesOnly) {
  const auto capture = scratch_ / "files.tcap";
  Process recorder({RECORDER, "--only", "files", "-o", capture, "--", WORKLOAD, "tcp4", scratch_ / "books"},
                   scratch_ / "log");
  EXPECT_EQ(recorder.wait(), 0) << recorder.said();
  const auto seen = read_capture(capture);
  EXPECT_GE(seen.kinds.at(static_cast<int>(Kind::file_call)), 1u) << "the books are a file";
  EXPECT_FALSE(seen.kinds.contains(static_cast<int>(Kind::send)));
}

// Twenty recordings, ended in every possible way: nothing of them stays in the kernel, and every file can be read.
TEST_F(Lifecycle, NothingStays) {
  for (int i = 0; i < 20; i++) {
    const auto capture = scratch_ / ("cycle" + std::to_string(i) + ".tcap");
    Process recorder({RECORDER, "-p", std::to_string(getpid()), "-o", capture}, scratch_ / "log");
    ASSERT_TRUE(wait_until([&] { return recording(capture); })) << recorder.said();
    const auto ids = program_ids(recorder.pid());
    ASSERT_GE(ids.size(), 10u);
    const int how = i % 3 == 0 ? SIGINT : i % 3 == 1 ? SIGTERM : SIGKILL;
    recorder.signal(how);
    EXPECT_EQ(recorder.wait(), how == SIGKILL ? 128 + SIGKILL : 0) << recorder.said();
    EXPECT_TRUE(wait_until([&] { return std::none_of(ids.begin(), ids.end(), program_exists); }))
        << "after signal " << how;
    const auto seen = read_capture(how == SIGKILL ? capture + ".partial" : capture);
    EXPECT_EQ(seen.state == CaptureState::complete, how != SIGKILL);
    EXPECT_GE(seen.kinds.at(static_cast<int>(Kind::task_info)), 1u);
  }
}

TEST_F(Lifecycle, CommandThatCannotBeRun) {
  Process recorder({RECORDER, "-o", scratch_ / "c.tcap", "--", "/nonexistent/command"}, scratch_ / "log");
  EXPECT_EQ(recorder.wait(), 1);
  EXPECT_NE(recorder.said().find("/nonexistent/command"), std::string::npos) << recorder.said();
}

TEST_F(Lifecycle, CommandsFirstInstruction) {
  const auto capture = scratch_ / "first.tcap";
  Process recorder({RECORDER, "-o", capture, "--", WORKLOAD, "refused", scratch_ / "books"}, scratch_ / "log");
  EXPECT_EQ(recorder.wait(), 0) << recorder.said();
  const auto seen = read_capture(capture);
  EXPECT_EQ(seen.kinds.at(static_cast<int>(Kind::task_exec)), 1u);
  EXPECT_EQ(seen.kinds.at(static_cast<int>(Kind::task_exit)), 1u);
  EXPECT_EQ(seen.preamble.targets, std::vector<std::string>{std::string("command ") + WORKLOAD});
}

}  // namespace
}  // namespace tailcap::test
