// Captures that are cut, bit-flipped, spliced or something else altogether: intact blocks are read, damage is reported.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test {
namespace {

// A small capture of many blocks of different contents.
class FormatsDamage : public testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_ / "whole.tcap";
    Writer writer(path_, sample_preamble(), false);
    writer.begin_keyframe(time_from(1'500'000'000));
    writer.push({time_from(1'500'000'000), {17, 17}, TaskInfo{1, "nginx", "nginx: worker", "/usr/sbin/nginx", "/a"}});
    writer.end_keyframe();
    for (std::uint64_t i = 0; i < 240; ++i) {
      Event event = request_event(i, kRequest, kResponse);
      event.time += std::chrono::milliseconds{i / 30 * 200};  // a new block every thirty events
      writer.push(event);
    }
    writer.finish(time_from(9'000'000'000));
    bytes_ = slurp(path_);
    whole_ = read_all(path_);
    whole_.pop_back();  // CaptureEnd
    blocks_ = Reader(path_).check();
    ASSERT_GE(blocks_.size(), 8u);
  }

  struct Outcome {
    std::vector<KeptEvent> events;  // of the file
    std::uint64_t damages = 0;
    CaptureState state = CaptureState::complete;
    bool ended = false;
  };

  Outcome read(const std::string& path, unsigned threads = 1) {
    Outcome outcome;
    for (auto& kept : read_all(path, threads)) {
      EXPECT_FALSE(outcome.ended) << "nothing follows the end";
      if (const auto* end = std::get_if<CaptureEnd>(&(*kept).body)) {
        outcome.ended = true;
        outcome.state = end->state;
      } else if (std::holds_alternative<Damage>((*kept).body)) {
        ++outcome.damages;
        EXPECT_LE(std::get<Damage>((*kept).body).since, (*kept).time);
      } else {
        outcome.events.push_back(std::move(kept));
      }
    }
    EXPECT_TRUE(outcome.ended);
    return outcome;
  }

  // Events in the blocks that end at or before this offset.
  std::size_t events_before(std::uint64_t offset) const {
    std::size_t n = 0;
    for (const auto& block : blocks_) {
      if (block.offset + block.stored_bytes <= offset) n += block.events;
    }
    return n;
  }

  // Expects the first n events complete, and after them only recorded events, in order.
  void expect_prefix_and_subsequence(const Outcome& outcome, std::size_t n, const std::string& what) {
    ASSERT_GE(outcome.events.size(), n) << what;
    std::size_t at = 0;
    for (std::size_t i = 0; i < outcome.events.size(); ++i) {
      while (at < whole_.size() && !(*whole_[at] == *outcome.events[i])) ++at;
      ASSERT_LT(at, whole_.size()) << what << ": event " << i << " was never recorded";
      ASSERT_TRUE(i >= n || at == i) << what << ": an event before the damage is missing";
      ++at;
    }
  }

  const Folder folder_;
  std::string path_, bytes_;
  std::vector<KeptEvent> whole_;
  std::vector<BlockStatus> blocks_;
};

TEST_F(FormatsDamage, cut_at_every_block_boundary) {
  const auto path = folder_ / "cut.tcap";
  for (std::size_t i = 1; i < blocks_.size(); ++i) {
    spill(path, std::string_view(bytes_).substr(0, blocks_[i].offset));
    const auto outcome = read(path);
    EXPECT_EQ(outcome.events.size(), events_before(blocks_[i].offset));
    EXPECT_EQ(outcome.damages, 0u);
    EXPECT_EQ(outcome.state, CaptureState::truncated);
    EXPECT_EQ(Reader(path).summary().events, outcome.events.size());
  }
}

TEST_F(FormatsDamage, cut_at_every_byte) {
  const auto path = folder_ / "cut.tcap";
  for (std::size_t size = 1; size < bytes_.size(); size += size < 600 ? 1 : 7) {
    spill(path, std::string_view(bytes_).substr(0, size));
    if (size < blocks_[1].offset) {
      // Less than one whole block. The signature is enough to recognise a capture.
      try {
        const auto outcome = read(path);
        EXPECT_TRUE(outcome.events.empty());
      } catch (const std::runtime_error& e) {
        EXPECT_NE(std::string(e.what()).find("not a tailcap capture"), std::string::npos) << e.what();
        EXPECT_LT(size, 72u + 8u);
      }
      continue;
    }
    const auto outcome = read(path);
    EXPECT_EQ(outcome.events.size(), events_before(size)) << size;
    EXPECT_EQ(outcome.state, CaptureState::truncated);
    const bool at_boundary =
        std::any_of(blocks_.begin(), blocks_.end(), [&](const auto& b) { return b.offset == size; });
    EXPECT_EQ(outcome.damages, at_boundary ? 0u : 1u) << size;
  }
}

TEST_F(FormatsDamage, flipped_bits) {
  const auto path = folder_ / "flipped.tcap";
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = bytes_;
    const std::size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    spill(path, damaged);
    const auto outcome = read(path);
    const std::string what = "bit in byte " + std::to_string(at);
    expect_prefix_and_subsequence(outcome, events_before(at), what);
    // At most one block is lost, and the loss is reported. (A damaged footer affects only the state.)
    std::size_t lost = 0;
    for (const auto& block : blocks_) {
      if (at >= block.offset && at < block.offset + block.stored_bytes) lost = block.events;
    }
    EXPECT_EQ(outcome.events.size() + lost, whole_.size()) << what;
    EXPECT_EQ(outcome.damages, lost > 0 ? 1u : outcome.damages) << what;
    bool found = false;
    for (const auto& block : Reader(path).check()) found |= !block.damage.empty();
    EXPECT_TRUE(found) << what << " is not seen by check";
  }
}

TEST_F(FormatsDamage, many_bytes_overwritten_cut_out_or_doubled) {
  const auto path = folder_ / "mangled.tcap";
  std::mt19937_64 random(11);
  for (int round = 0; round < 1000; ++round) {
    std::string damaged = bytes_;
    std::size_t first = damaged.size();
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
      const std::size_t at = random() % damaged.size();
      const std::size_t size = std::min<std::size_t>(1 + random() % 200, damaged.size() - at);
      switch (random() % 3) {
        case 0:
          for (std::size_t i = at; i < at + size; ++i) damaged[i] = static_cast<char>(random());
          break;
        case 1:
          damaged.erase(at, size);
          break;
        default:
          damaged.insert(at, damaged.substr(random() % damaged.size(), size));
      }
      first = std::min(first, at);
    }
    spill(path, damaged);
    try {
      expect_prefix_and_subsequence(read(path, 1 + round % 2), events_before(first), "round " + std::to_string(round));
    } catch (const std::runtime_error& e) {
      EXPECT_NE(std::string(e.what()).find("not a tailcap capture"), std::string::npos) << e.what();
    }
  }
}

TEST_F(FormatsDamage, a_missing_block_is_a_gap) {
  const auto path = folder_ / "gap.tcap";
  std::string damaged = bytes_;
  damaged.erase(blocks_[3].offset, blocks_[4].offset - blocks_[3].offset);
  spill(path, damaged);
  const auto outcome = read(path);
  EXPECT_EQ(outcome.damages, 1u);
  EXPECT_EQ(outcome.state, CaptureState::complete);
  EXPECT_EQ(outcome.events.size(), whole_.size() - blocks_[3].events);
  const auto status = Reader(path).check();
  ASSERT_EQ(status.size(), blocks_.size());
  EXPECT_EQ(status[3].damage, "block 3 is missing");
  EXPECT_EQ(status[3].stored_bytes, 0u);
  EXPECT_GE(status[3].first, status[2].first);
  EXPECT_LE(status[3].last, status[4].first);
}

TEST_F(FormatsDamage, a_doubled_block_is_read_once) {
  const auto path = folder_ / "doubled.tcap";
  std::string damaged = bytes_;
  damaged.insert(blocks_[4].offset, bytes_.substr(blocks_[3].offset, blocks_[3].stored_bytes));
  spill(path, damaged);
  const auto outcome = read(path);
  EXPECT_EQ(outcome.events.size(), whole_.size());
  EXPECT_EQ(outcome.damages, 1u);
}

TEST_F(FormatsDamage, another_capture_behind_it_is_not_mixed_in) {
  const auto path = folder_ / "two.tcap";
  spill(path, bytes_ + bytes_);
  EXPECT_EQ(read(path).events.size(), whole_.size());
  spill(path, bytes_.substr(0, blocks_[5].offset) + bytes_);
  const auto outcome = read(path);
  EXPECT_EQ(outcome.events.size(), events_before(blocks_[5].offset));
  EXPECT_EQ(outcome.damages, 1u);
}

TEST_F(FormatsDamage, recover_saves_what_is_sound) {
  const auto path = folder_ / "damaged.tcap", saved = folder_ / "saved.tcap";
  std::string damaged = bytes_.substr(0, blocks_[6].offset + 90);
  damaged[blocks_[3].offset + 100] = static_cast<char>(~damaged[blocks_[3].offset + 100]);
  spill(path, damaged);
  const auto before = read(path);
  recover(path, saved, false);
  EXPECT_EQ(slurp(path), damaged);
  const auto after = read(saved);
  EXPECT_EQ(after.state, CaptureState::recovered);
  ASSERT_EQ(after.events.size(), before.events.size());
  for (std::size_t i = 0; i < after.events.size(); ++i) EXPECT_TRUE(*after.events[i] == *before.events[i]);
  EXPECT_EQ(after.damages, 1u) << "the missing block stays a gap";
  EXPECT_TRUE(Reader(saved).preamble() == sample_preamble());
  EXPECT_THROW(recover(path, saved, false), std::system_error);
  EXPECT_THROW(recover(path, path, true), std::runtime_error);
  EXPECT_EQ(slurp(path), damaged);
  EXPECT_NO_THROW(recover(path, saved, true));
}

TEST_F(FormatsDamage, recover_takes_the_name_of_its_own_partial_file) {
  const auto partial = folder_ / "died.tcap.partial", saved = folder_ / "died.tcap";
  spill(partial, bytes_.substr(0, blocks_[6].offset));
  recover(partial, saved, false);
  EXPECT_EQ(read(saved).events.size(), events_before(blocks_[6].offset));
  EXPECT_EQ(slurp(partial), bytes_.substr(0, blocks_[6].offset));
}

std::string refusal(const std::string& path) {
  try {
    Reader reader(path);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "opened";
}

TEST_F(FormatsDamage, what_is_no_capture_is_refused_with_a_reason) {
  const auto path = folder_ / "x";
  spill(path, "");
  EXPECT_EQ(refusal(path), path + " is empty: nothing was recorded into it, or it was not copied whole");
  spill(path, "GET / HTTP/1.1\r\n");
  EXPECT_EQ(refusal(path), path +
                               " is not a tailcap capture: it starts with 47 45 54 20 2f 20 48 54 \"GET / HT\". "
                               "Captures are made by `tailcap record`");
  spill(path, std::string(3 << 20, '\0'));
  EXPECT_NE(refusal(path).find("not a tailcap capture"), std::string::npos);
  EXPECT_EQ(refusal(folder_ / "."), (folder_ / ".") + " is a directory; name the .tcap file in it");
  EXPECT_NE(refusal(folder_ / "none").find("cannot open"), std::string::npos);
  spill(folder_ / "y.partial", bytes_);
  EXPECT_NE(refusal(folder_ / "y").find("y.partial does: its recording still runs or died"), std::string::npos);
}

}  // namespace
}  // namespace tailcap::formats::test
