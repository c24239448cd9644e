#include "capture/options/options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bpf/event.h"

namespace {

using namespace tailcap::capture;
using Texts = std::vector<std::string>;

Options parse(Texts words, const std::string* config = nullptr) {
  words.insert(words.begin(), "tailcap-record");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  return parse_options(static_cast<int>(argv.size()), argv.data(), config);
}

Options configured(const std::string& config, Texts words = {}) {
  words.insert(words.end(), {"--config", "shop.toml"});
  return parse(words, &config);
}

std::string objection(const std::string& config, const Texts& words = {"-p", "1"}) {
  try {
    configured(config, words);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

TEST(Config, IsACommandLine) {
  const Options options = configured(R"(# the shop
service = ["shop", "payments"]
pid = [11, 12]
last = "60s"
payload = 512
keep-keys = true
force = false
)");
  EXPECT_EQ(options.probes.selection.services, (Texts{"shop", "payments"}));
  EXPECT_EQ(options.probes.selection.pids, (std::vector<std::uint32_t>{11, 12}));
  EXPECT_EQ(options.destination.last.last, std::chrono::seconds(60));
  EXPECT_EQ(options.probes.payload_limit, 512u);
  EXPECT_TRUE(options.keep.keys);
  EXPECT_FALSE(options.destination.force);
}

TEST(Config, OptionsOfTheCommandLineReplaceThoseOfTheFile) {
  const Options options =
      configured("payload = 512\nservice = \"shop\"\nport = 80\n", {"--payload", "64", "--service", "x"});
  EXPECT_EQ(options.probes.payload_limit, 64u);
  EXPECT_EQ(options.probes.selection.services, Texts{"x"});
  EXPECT_EQ(options.probes.selection.ports, std::vector<std::uint16_t>{80});
}

TEST(Config, SaysWhereItIsWrong) {
  EXPECT_EQ(objection("\npaylod = 3\n"),
            "shop.toml, line 2: 'paylod' is no option of tailcap record: did you mean 'payload'?");
  EXPECT_EQ(objection("payload = \"x\n"),
            "shop.toml, line 1: Error while parsing string: unescaped control characters "
            "other than TAB (U+0009) are explicitly prohibited");
  EXPECT_EQ(objection("force = 1"), "shop.toml, line 1: 'force' is true or false");
  EXPECT_EQ(objection("payload = true"),
            "shop.toml, line 1: 'payload' is a string or a whole number, or an array of these");
  EXPECT_EQ(objection("[payload]\nx = 1"),
            "shop.toml, line 1: 'payload' is a string or a whole number, or an array of these");
  EXPECT_EQ(objection("payload = [1, 2]"), "shop.toml, line 1: 'payload' has one value");
  EXPECT_EQ(objection("pid = []"), "shop.toml, line 1: 'pid' has no value");
  EXPECT_EQ(objection("ready-fd = 3"), "shop.toml, line 1: --ready-fd is only for the command line");
  EXPECT_EQ(objection("p = 3"), "shop.toml, line 1: 'p' is no option of tailcap record");
  EXPECT_EQ(objection("tier = \"x\""), "'x' is not a hook tier: a or c (b is not built yet)");
}

TEST(Config, IsReadFromAFileOfBoundedSize) {
  const auto path = std::filesystem::temp_directory_path() / "tailcap-options-test.toml";
  std::ofstream(path) << "port = [80, 8080]\n";
  EXPECT_EQ(parse({"--config", path}).probes.selection.ports, (std::vector<std::uint16_t>{80, 8080}));
  std::ofstream(path) << std::string(70'000, '#');
  EXPECT_THROW(parse({"--config", path, "-p", "1"}), UsageError);
  std::filesystem::remove(path);
  EXPECT_THROW(parse({"--config", path, "-p", "1"}), UsageError);
  EXPECT_THROW(parse({"--config", "/proc", "-p", "1"}), UsageError);
  EXPECT_THROW(parse({"--config", "/dev/zero", "-p", "1"}), UsageError);
}

}  // namespace
