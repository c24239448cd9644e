// The memory that reading a hostile file costs. As released only: the address sanitizer keeps freed memory.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "formats/columns/collector.h"
#include "tests/unit/formats/blocks_by_hand.h"

namespace tailcap::formats::test {
namespace {

using namespace columns;

// GCC defines a macro, clang a feature.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

// Peak memory in bytes of a process that reads the file to its end.
std::uint64_t memory_to_read(const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    Reader reader(path, {4});
    while (!reader.next().empty()) continue;
    reader.check();
    _exit(0);
  }
  int status = 0;
  rusage usage{};
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

TEST(FormatsHostile, blocks_that_inflate_a_thousandfold) {
  if (kSanitized) GTEST_SKIP() << "the address sanitizer keeps freed memory";
  const Folder folder;
  std::string file = preamble_block();
  std::vector<std::byte> zeros(kMaxBlockRaw);
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::events);
  header.events = kMaxBlockEvents;
  header.last = kMaxTime;
  for (header.sequence = 1; header.sequence <= 12; ++header.sequence) file += block(header, zeros);
  std::vector<std::byte>().swap(zeros);  // the child starts with this process's memory
  const auto path = folder / "bomb.tcap";
  spill(path, file);
  EXPECT_LT(file.size(), 200'000u);
  EXPECT_LT(memory_to_read(path), 256u << 20);
}

TEST(FormatsHostile, blocks_full_of_the_largest_events) {
  if (kSanitized) GTEST_SKIP() << "the address sanitizer keeps freed memory";
  const Folder folder;
  std::string file = preamble_block();
  MessageBuffer buffer;
  CollectedBlock collected;
  collected.columns.order.assign(kMaxBlockEvents, static_cast<std::uint8_t>(Kind::socket_info));
  collected.columns.thread.assign(kMaxBlockEvents, 1);
  collected.columns.pids.assign(1, 7);
  collected.columns.tids.assign(1, 7);
  collected.columns.sockets.assign(1, 7);
  collected.columns.of<Kind::socket_info>().column<0>().assign(kMaxBlockEvents, 1);
  collected.raw_bytes = 10u << 20;
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::events);
  header.events = kMaxBlockEvents;
  header.last = kMaxTime;
  const auto message = encode(collected, BlockType::events, buffer);
  for (header.sequence = 1; header.sequence <= 40; ++header.sequence) file += block(header, message);
  const auto path = folder / "events.tcap";
  spill(path, file);
  EXPECT_LT(file.size(), 1'000'000u);
  EXPECT_LT(memory_to_read(path), 256u << 20);
  EXPECT_EQ(Reader(path).summary().events, 40u * kMaxBlockEvents);
}

}  // namespace
}  // namespace tailcap::formats::test
