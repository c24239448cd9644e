// Files of targets: found once and read by another process, with the same result as reading them here.
#include "capture/scan/target_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "capture/symbols/code_names.h"
#include "capture/tls/functions.h"
#include "capture/tls/libraries.h"

namespace tailcap::capture::scan {
namespace {

using namespace std::chrono_literals;

// Forked before this process has threads.
const Processes& processes() {
  static const Processes all;
  return all;
}

std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

class TargetFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tailcap-files-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::optional<TargetFile> open(const std::string& path) { return files_.open(path, {{path}}); }

  std::string folder_;
  TargetFiles files_{processes()};
};

// "Key:\tvalue" of the processes with this parent.
std::vector<std::string> of_children(std::uint32_t parent, const std::string& key) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream status(entry.path() / "status");
    std::string line, value;
    bool child = false;
    while (std::getline(status, line)) {
      if (line == "PPid:\t" + std::to_string(parent)) child = true;
      if (line.starts_with(key + ":\t")) value = line.substr(key.size() + 2);
    }
    if (child) found.push_back(value);
  }
  return found;
}

// A process that mapped it before may have mapped other bytes.
TEST_F(TargetFilesTest, AFileThatWasChangedSinceIsNotOpened) {
  const std::string path = folder_ + "/file";
  std::ofstream(path) << "new";
  const auto file = open(path);
  ASSERT_TRUE(file) << files_.problem();
  const std::int64_t changed = file->identity.changed;
  const auto opened = [&](std::int64_t since) { return files_.open(path, {{path, 0, 0, since}}).has_value(); };
  EXPECT_FALSE(opened(changed));
  EXPECT_EQ(files_.problem(), "it was changed meanwhile");
  EXPECT_FALSE(opened(changed - 1));
  EXPECT_TRUE(opened(changed + 1));
}

TEST_F(TargetFilesTest, PlansAreThoseMadeHere) {
  const auto libraries = tls::system_libraries();
  for (const auto& path : libraries) {
    const auto file = open(path);
    ASSERT_TRUE(file) << path << files_.problem();
    const auto plan = files_.plan(*file, {path, true, false, false, false, 0});
    ASSERT_TRUE(plan) << path << files_.problem();
    EXPECT_EQ(plan->refused, "");
    const auto expected = tls::plan_functions(symbols::ElfFile::open(path));
    ASSERT_EQ(plan->functions.size(), expected.size()) << path;
    for (std::size_t i = 0; i < expected.size(); i++) {
      EXPECT_EQ(plan->functions[i].name, expected[i].name);
      EXPECT_EQ(plan->functions[i].reason, expected[i].reason);
      ASSERT_EQ(plan->functions[i].places.size(), expected[i].places.size()) << expected[i].name;
      for (std::size_t k = 0; k < expected[i].places.size(); k++) {
        const auto &a = plan->functions[i].places[k], &b = expected[i].places[k];
        EXPECT_EQ(a.text, b.text);
        EXPECT_EQ(a.price, b.price);
        EXPECT_EQ(a.probe.offset, b.probe.offset);
        EXPECT_EQ(a.probe.cookie, b.probe.cookie);
        EXPECT_EQ(a.probe.code, b.probe.code);
        EXPECT_FALSE(a.probe.code.empty());
      }
    }
  }
  if (libraries.empty()) GTEST_SKIP() << "no TLS library here";
}

TEST_F(TargetFilesTest, NamesAreThoseReadHere) {
  const auto file = open(own_path());
  ASSERT_TRUE(file) << files_.problem();
  const auto names = files_.names(*file);
  ASSERT_TRUE(names) << files_.problem();
  const auto elf = symbols::ElfFile::open(own_path());
  const symbols::CodeNames expected(elf);
  std::size_t known = 0;
  for (const auto& segment : elf.segments()) {
    for (std::uint64_t at = segment.offset; segment.executable && at < segment.offset + segment.file_size; at += 61) {
      ASSERT_EQ(names->at(at), expected.at(at)) << at;
      known += !expected.at(at).empty();
    }
  }
  EXPECT_GT(known, 100u);
}

TEST_F(TargetFilesTest, BuildIdIsTheLinkers) {
  FILE* pipe = popen(("readelf -n " + own_path() + " 2>/dev/null").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string text(65536, '\0');
  text.resize(fread(text.data(), 1, text.size(), pipe));
  pclose(pipe);
  const std::string mark = "Build ID: ";
  const auto at = text.find(mark);
  if (at == text.npos) GTEST_SKIP() << "no readelf, or no build-id";
  std::string expected = text.substr(at + mark.size(), text.find_first_of(" \n", at + mark.size()) - at - mark.size());
  for (int i = 0; i < 3; i++) {
    const auto file = open(own_path());
    ASSERT_TRUE(file);
    const auto id = files_.build_id(*file);
    ASSERT_TRUE(id) << files_.problem();
    std::string digits;
    for (const char c : *id) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
      digits += two;
    }
    EXPECT_EQ(digits, expected);
  }
}

TEST_F(TargetFilesTest, WhatIsNoFileIsNotOpened) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(open(pipe));
  EXPECT_EQ(files_.problem(), "it is not a regular file");
  EXPECT_FALSE(open("/dev/zero"));
  EXPECT_FALSE(open(folder_));
  EXPECT_FALSE(open(folder_ + "/nothing"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms);
}

TEST_F(TargetFilesTest, AnotherFileOfTheNameIsRefused) {
  const std::string path = folder_ + "/file";
  std::ofstream(path) << "one";
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(files_.open(path, {{path, status.st_ino}}));
  EXPECT_FALSE(files_.open(path, {{path, status.st_ino + 1}}));
  EXPECT_EQ(files_.problem(), "another file has its name by now");
}

TEST_F(TargetFilesTest, NothingIsAttachedToWhatWasChanged) {
  const std::string path = folder_ + "/program", moved = folder_ + "/moved";
  std::filesystem::copy_file(own_path(), path);
  const auto file = open(path);
  ASSERT_TRUE(file);
  const int programs[] = {0};  // not a program: the kernel refuses it when asked
  char start[8] = {};
  std::ifstream(path).read(start, sizeof start);
  const std::vector<FunctionProbe> places = {{FunctionProgram::enter, 0, 0, std::string(start, sizeof start)}};
  std::vector<FunctionProbe> other = places;
  other[0].code[3] ^= 1;
  EXPECT_TRUE(files_.attach(*file, programs, places, true, false).empty());
  EXPECT_TRUE(files_.problem().starts_with("the kernel refused the places")) << files_.problem();
  EXPECT_TRUE(files_.attach(*file, programs, other, true, false).empty());
  EXPECT_EQ(files_.problem(), "its code was changed while it was looked at");
  // The result is the same under another name, and without one.
  std::filesystem::rename(path, moved);
  std::ofstream(path) << "something else";
  EXPECT_TRUE(files_.attach(*file, programs, places, true, true).empty());
  EXPECT_TRUE(files_.problem().starts_with("the kernel refused the places")) << files_.problem();
  std::fstream(moved, std::ios::in | std::ios::out).seekp(100).put('x');
  EXPECT_TRUE(files_.attach(*file, programs, places, true, true).empty());
  EXPECT_EQ(files_.problem(), "it was changed while it was looked at");
}

TEST_F(TargetFilesTest, ProcessesThatReadThemLetOthersGoFirst) {
  const int nicer = std::min(19, getpriority(PRIO_PROCESS, 0) + 5);
  for (const std::uint32_t pid : processes().pids()) {
    const auto process = static_cast<pid_t>(pid);
    for (int i = 0; i < 500 && getpriority(PRIO_PROCESS, pid) != nicer; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(getpriority(PRIO_PROCESS, pid), nicer);
    EXPECT_EQ(sched_getscheduler(process), SCHED_BATCH);
  }
}

TEST_F(TargetFilesTest, AReaderHasNoRights) {
  const Descriptor reader = processes().readers().start();
  ASSERT_TRUE(reader);
  const auto values = [&](const std::string& key) {
    for (int tries = 0; tries < 100; tries++) {
      const auto seccomp = of_children(processes().pids()[1], "Seccomp");
      if (!seccomp.empty() && seccomp.back() != "0") break;
      usleep(10000);
    }
    return of_children(processes().pids()[1], key);
  };
  for (const char* key : {"CapPrm", "CapEff", "CapInh", "CapAmb"}) {
    for (const auto& value : values(key)) EXPECT_EQ(value, "0000000000000000") << key;
  }
  const auto privileges = values("NoNewPrivs"), users = values("Uid"), groups = values("Groups");
  ASSERT_FALSE(privileges.empty());
  for (const auto& value : privileges) EXPECT_EQ(value, "1");
  if (getuid() != 0) return;
  for (const auto& value : users) EXPECT_NE(value.substr(0, 2), "0\t") << value;
  for (const auto& value : groups) EXPECT_EQ(value.find_first_not_of(' '), value.npos) << value;
#if !defined(__SANITIZE_ADDRESS__)
  for (const auto& value : values("Seccomp")) EXPECT_EQ(value, "2");
#endif
}

TEST_F(TargetFilesTest, OnceStoppedNothingIsWaitedFor) {
  files_.stop();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(open(own_path()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms);
}

}  // namespace
}  // namespace tailcap::capture::scan
