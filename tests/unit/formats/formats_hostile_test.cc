// Hostile files: reading one costs no more than its size allows.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "formats/block.h"
#include "formats/columns/collector.h"
#include "formats/columns/message.h"
#include "formats/crc32c.h"
#include "formats/file/zstd_frame.h"
#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test {
namespace {

using namespace columns;
using file::Compressor;

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

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A block with this message, a valid header and a valid checksum.
std::string block(BlockHeader header, std::span<const std::byte> message) {
  Compressor compressor;
  const auto frame = compressor.compress(message);
  header.raw_size = static_cast<std::uint32_t>(message.size());
  header.stored_size = static_cast<std::uint32_t>(frame.size());
  header.payload_crc = crc32c(frame);
  return text_of(encode(header)) + text_of(frame);
}

std::string preamble_block() {
  MessageBuffer buffer;
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::preamble);
  header.first = header.last = sample_preamble().started;
  return block(header, encode(sample_preamble(), buffer));
}

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

TEST(FormatsHostile, nothing_but_headers) {
  const Folder folder;
  const auto path = folder / "headers.tcap";
  for (const std::uint32_t stored : {0u, 100u, 1u << 20}) {
    std::string file = preamble_block();
    BlockHeader header;
    header.type = static_cast<std::uint8_t>(BlockType::events);
    header.stored_size = stored;
    for (header.sequence = 1; header.sequence < 30'000; ++header.sequence) file += text_of(encode(header));
    spill(path, file);
    EXPECT_NO_THROW(read_all(path));
  }
}

// One case per column and table: a message whose columns do not fit together counts as damaged as a whole.
TEST(FormatsHostile, columns_that_do_not_fit) {
  using Break = void (*)(BlockColumns<Column>&);
  const Break breaks[] = {
      [](BlockColumns<Column>& c) { c.time.pop_back(); },
      [](BlockColumns<Column>& c) { c.thread[0] = 0; },
      [](BlockColumns<Column>& c) { c.thread[0] = 99; },
      [](BlockColumns<Column>& c) { c.tids.push_back(1); },
      [](BlockColumns<Column>& c) { c.order[1] = static_cast<std::uint8_t>(Kind::send); },
      [](BlockColumns<Column>& c) { c.of<Kind::arrival>().socket[0] = 99; },
      [](BlockColumns<Column>& c) { c.of<Kind::arrival>().socket[0] = 0; },
      [](BlockColumns<Column>& c) { c.of<Kind::arrival>().length.push_back(1); },
      [](BlockColumns<Column>& c) { c.of<Kind::receive>().head[0] = 99; },
      [](BlockColumns<Column>& c) {
        c.of<Kind::receive>().how[0] |= kHowError;
        c.of<Kind::receive>().error = {1, 2};
        c.of<Kind::receive>().how[1] |= kHowError;
        c.of<Kind::receive>().how[2] |= kHowError;
      },
      [](BlockColumns<Column>& c) { c.piece_ends[0] = 1u << 30; },
      [](BlockColumns<Column>& c) { std::swap(c.piece_ends[0], c.piece_ends[1]); },
      [](BlockColumns<Column>& c) { c.base = -1; },
      [](BlockColumns<Column>& c) { c.base = 3; },
      [](BlockColumns<Column>& c) { c.sockets.assign(70'000, 1); },
  };
  const auto status_with = [](Break change) {
    Collector collector;
    for (std::uint64_t i = 0; i < 40; ++i) collector.add(request_event(i, kRequest, kResponse));
    auto collected = collector.take(std::make_unique<CollectedBlock>());
    BlockHeader header;
    header.type = static_cast<std::uint8_t>(BlockType::events);
    header.events = collected->events;
    header.first = collected->first;
    header.last = collected->last;
    if (change != nullptr) change(collected->columns);
    collected->raw_bytes += 1u << 20;
    MessageBuffer buffer;
    std::vector<Event> events;
    const auto damage = decode_events(encode(*collected, BlockType::events, buffer), header, events);
    EXPECT_EQ(events.size(), damage.empty() ? 40u : 0u);
    return damage;
  };
  EXPECT_EQ(status_with(nullptr), "");
  for (std::size_t i = 0; i < std::size(breaks); ++i)
    EXPECT_NE(status_with(breaks[i]), "") << "change " << i << " went unnoticed";
}

// Events of a later version between known ones are skipped, and their neighbours are read correctly.
TEST(FormatsHostile, kinds_of_a_later_version_are_skipped) {
  Collector collector;
  for (std::uint64_t i = 0; i < 40; ++i) collector.add(request_event(i, kRequest, kResponse));
  auto collected = collector.take(std::make_unique<CollectedBlock>());
  auto& c = collected->columns;
  c.order.insert(c.order.begin() + 5, 200);
  c.time.insert(c.time.begin() + 5, 0);
  c.thread.insert(c.thread.begin() + 5, 1);
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::events);
  header.events = collected->events + 1;
  header.first = collected->first;
  header.last = collected->last;
  MessageBuffer buffer;
  std::vector<Event> events;
  EXPECT_EQ(decode_events(encode(*collected, BlockType::events, buffer), header, events), "");
  ASSERT_EQ(events.size(), 40u);
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_TRUE(events[i] == request_event(i, kRequest, kResponse)) << i;
}

TEST(FormatsHostile, blocks_of_a_later_version_are_skipped_and_counted) {
  const Folder folder;
  const auto path = folder / "later.tcap";
  {
    Writer writer(path, sample_preamble(), false);
    writer.push({time_from(10), {}, TaskExit{1}});
    writer.finish(time_from(20));
  }
  std::string file = slurp(path);
  const auto footer = Reader(path).check()[2].offset;
  BlockHeader header;
  header.type = 77;
  header.sequence = 2;
  const std::vector<std::byte> message(64);
  file = file.substr(0, footer) + block(header, message);
  spill(path, file);
  EXPECT_EQ(Reader(path).summary().unknown_blocks, 1u);
  EXPECT_EQ(Reader(path).summary().damaged_blocks, 0u);
  EXPECT_EQ(read_all(path).size(), 2u);

  header.type = 0;
  header.sequence = 0;
  header.version = 2;
  spill(path, block(header, message));
  try {
    Reader reader(path);
    FAIL() << "a later format version was read";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string(e.what()),
              path + " was written in format 2, this tailcap reads up to 1; use a later tailcap");
  }
}

}  // namespace
}  // namespace tailcap::formats::test
