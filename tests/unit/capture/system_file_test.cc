// Files of /proc and cgroups that vanish, fail or are of another type: nothing throws or blocks.
#include "capture/host/system_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "capture/host/quota.h"
#include "capture/scan/proc.h"
#include "capture/scan/process_text.h"

namespace tailcap::capture {
namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/tailcap-system-file-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string with(const std::string& text) const {
    std::ofstream(path + "/file", std::ios::binary) << text;
    return path + "/file";
  }
};

// As an opener answers.
scan::ProcessText shown(std::uint32_t pid) {
  const std::string question = scan::encode(scan::ProcessQuestion{pid, true, scan::kAllMappings});
  scan::Decoder in(question);
  const auto text = scan::decode_process_text(scan::answer(in));
  EXPECT_TRUE(text);
  return text.value_or(scan::ProcessText{});
}

std::vector<std::string> lines(const std::string& path, std::size_t most = kSystemFileBytes) {
  SystemLines file(path, most);
  std::vector<std::string> out;
  std::string_view line;
  while (file.next(line)) out.emplace_back(line);
  EXPECT_FALSE(file.next(line));
  return out;
}

TEST(SystemFile, ReadsUpToItsLimit) {
  const Folder folder;
  const std::string text = std::string(50'000, 'a') + std::string(50'000, 'b');
  const auto file = folder.with(text);
  EXPECT_EQ(read_system_file(file, 1u << 20), text);
  EXPECT_EQ(read_system_file(file, 50'001), text.substr(0, 50'001));
  EXPECT_EQ(read_system_file(file, 0), "");
}

TEST(SystemFile, WhatCannotBeReadIsEmpty) {
  const Folder folder;
  EXPECT_EQ(read_system_file(folder.path + "/nothing"), "");
  EXPECT_EQ(read_system_file(folder.path), "");  // EISDIR
  ASSERT_EQ(mkfifo((folder.path + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_system_file(folder.path + "/fifo"), "");  // does not wait for a writer
  EXPECT_EQ(read_system_file("/proc/self/mem"), "");       // EIO at the first byte
  EXPECT_TRUE(lines(folder.path).empty());
  EXPECT_TRUE(lines("/proc/self/mem").empty());
}

TEST(SystemFile, Lines) {
  const Folder folder;
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines(folder.with("")), Lines());
  EXPECT_EQ(lines(folder.with("a\n\nb")), (Lines{"a", "", "b"}));
  EXPECT_EQ(lines(folder.with("a\nb\n")), (Lines{"a", "b"}));
  EXPECT_EQ(lines(folder.with("one\ntwo\nthree\n"), 9), (Lines{"one", "two"}));  // half a line does not count
  const std::string longest(16'000, 'x'), too_long(100'000, 'y');
  EXPECT_EQ(lines(folder.with("a\n" + longest + "\nb\n" + too_long + "\nc\n"), 1u << 20),
            (Lines{"a", longest, "b", "c"}));
  EXPECT_EQ(lines(folder.with("a\n" + too_long), 1u << 20), Lines{"a"});
}

TEST(SystemFile, ManyLines) {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 60'000; i++) text += std::to_string(i) + " of sixty thousand lines\n";
  const auto all = lines(folder.with(text), kMapsBytes);
  ASSERT_EQ(all.size(), 60'000u);
  for (int i = 0; i < 60'000; i++)
    ASSERT_TRUE(all[static_cast<std::size_t>(i)].starts_with(std::to_string(i) + " ")) << i;
}

// Thousands of processes end while their files are read. Every read must return, and none may throw.
TEST(SystemFile, ProcessesThatEndMeanwhile) {
  std::array<std::atomic<int>, 8> pids{};
  std::atomic<bool> stop = false;
  std::atomic<int> ends = 0;
  std::thread storm([&] {
    while (!stop) {
      for (auto& pid : pids) {
        const int child = fork();
        if (child == 0) {
          for (;;) pause();
        }
        pid = child;
      }
      for (auto& pid : pids) {
        if (pid <= 0) continue;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        ends++;
      }
    }
  });
  Quotas quotas;
  std::uint64_t reads = 0;
  const auto begun = std::chrono::steady_clock::now();
  const auto enough = [&] {  // a busy machine gets more time
    const auto took = std::chrono::steady_clock::now() - begun;
    return took > std::chrono::seconds(3) && (ends > 100 || took > std::chrono::seconds(30));
  };
  EXPECT_NO_THROW(while (!enough()) {
    for (const auto& pid : pids) {
      const auto number = static_cast<std::uint32_t>(std::max(pid.load(), 0));
      quotas.begin();
      quotas.read(number);
      process_facts(number);
      process_exists(number);
      if (reads % 64 == 0) scan::executable_mappings(number, shown(number));
      reads++;
    }
  });
  stop = true;
  storm.join();
  const auto own = shown(static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(own.executable, std::filesystem::read_symlink("/proc/self/exe").string());
  EXPECT_FALSE(own.command_line().empty());
  const auto mappings = scan::executable_mappings(static_cast<std::uint32_t>(getpid()), own);
  EXPECT_TRUE(
      std::any_of(mappings.begin(), mappings.end(), [&](const auto& m) { return m.file.path == own.executable; }));
  EXPECT_GT(reads, 1000u);
  EXPECT_GT(ends, 100);
}

}  // namespace
}  // namespace tailcap::capture
