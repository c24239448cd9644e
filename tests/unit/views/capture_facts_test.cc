#include "analyze/views/file/capture_facts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace tailcap {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};

// Real recordings: plain and with TLS, Go, losses, cut short.
std::vector<std::filesystem::path> samples() {
  std::vector<std::filesystem::path> files;
  const auto root = std::filesystem::path(SOURCE_DIR) / "samples/captures";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.path().extension() == ".tcap") files.push_back(entry.path());
  return files;
}

TEST(CaptureFacts, CountedEventsSayTheSameAsEventsThatAreRead) {
  std::size_t skimmed = 0;
  for (const auto& file : samples()) {
    const auto counted = views::read_facts(file, 0);
    const auto read = views::read_facts(file, kNever);
    EXPECT_FALSE(read.skimmed);
    EXPECT_GT(read.delivered, 1000u) << file;
    EXPECT_EQ(views::to_json(read), views::to_json(counted)) << file;
    EXPECT_EQ(read.delivered, counted.delivered) << file;
    EXPECT_EQ(read.quality.losses.size(), counted.quality.losses.size()) << file;
    skimmed += counted.skimmed;
  }
  EXPECT_GE(skimmed, 5u);
}

TEST(CaptureFacts, ADamagedBlockIsFoundByBoth) {
  const auto file = samples().front();
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  bytes.at(bytes.size() / 2) ^= 0x20;
  const auto damaged = std::filesystem::path(testing::TempDir()) / "tailcap-facts-damaged.tcap";
  std::ofstream(damaged, std::ios::binary) << bytes;
  const auto counted = views::read_facts(damaged, 0);
  EXPECT_FALSE(counted.skimmed);
  EXPECT_GE(counted.damage, 1u);
  EXPECT_EQ(views::to_json(views::read_facts(damaged, kNever)), views::to_json(counted));
  std::filesystem::remove(damaged);
}

}  // namespace
}  // namespace tailcap
