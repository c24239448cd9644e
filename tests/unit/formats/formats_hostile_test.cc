// Hostile files: reading one costs no more than its size allows.
#include <gtest/gtest.h>

#include "formats/block.h"
#include "formats/columns/collector.h"
#include "formats/columns/message.h"
#include "tests/unit/formats/blocks_by_hand.h"
#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test {
namespace {

using namespace columns;

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
