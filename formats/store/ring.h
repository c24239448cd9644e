// The last blocks of a recording, in memory. A part of them can be written to a file at any time, as a whole capture.
//
// A segment is a keyframe and the blocks up to the next one. Whole segments are dropped, so that what is kept can be
// read from its beginning on.
#pragma once

#include <string.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "formats/file/block_sink.h"
#include "formats/file/framer.h"
#include "formats/preamble.h"

namespace tailcap::formats::file {
class BlockWriter;
}

namespace tailcap::formats::store {

// What is kept: at least the events of the time `last`, and at most `bytes`, plus one segment. 0: no such limit.
struct RingLimits {
  Duration last{};
  std::uint64_t bytes = 0;
};

class Ring : public file::BlockSink {
 public:
  // finish() writes what is kept to `path`; replace: it may exist.
  Ring(const RingLimits& limits, Preamble preamble, std::string path, bool replace);
  ~Ring() override;  // waits for a snapshot that is being written

  void write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) override;
  void finish(CaptureState state, Time ended) override;

  // A note of the preamble may change while it records. A snapshot of blocks with different values of it has `mixed`.
  // Before the first block.
  void note_varies(const std::string& key, const std::string& mixed);
  void note_from_here(const std::string& value);  // "": none. From the thread that writes

  struct Snapshot {
    std::string error;  // empty: it is whole
    std::uint64_t bytes = 0, events = 0;
    Time first = kNoTime, last = kNoTime;
  };
  // Writes what is kept now, by a thread of its own, and then calls `done` there. last: only the segments of this time;
  // 0: all. False: another one is being written. From the thread that writes.
  bool snapshot(const std::string& path, Duration last, std::pair<std::string, std::string> note,
                std::function<void(const Snapshot&)> done);

  std::uint64_t file_bytes() const override { return bytes_.load(std::memory_order_relaxed); }
  std::uint64_t blocks() const override { return count_.load(std::memory_order_relaxed); }
  std::uint64_t raw_bytes() const override { return raw_bytes_.load(std::memory_order_relaxed); }
  // Since the last keyframe.
  std::uint64_t segment_bytes() const { return segment_bytes_.load(std::memory_order_relaxed); }
  Time first() const { return time_from(first_.load(std::memory_order_relaxed)); }  // of the events kept

 private:
  // Overwritten when it is dropped: what was recorded and not written leaves nothing behind.
  struct Kept {
    Kept(const BlockHeader& its_header, std::span<const std::byte> bytes, std::shared_ptr<const std::string> its_note)
        : header(its_header), payload(bytes.begin(), bytes.end()), note(std::move(its_note)) {}
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ~Kept() { explicit_bzero(payload.data(), payload.size()); }
    BlockHeader header;
    std::vector<std::byte> payload;
    std::shared_ptr<const std::string> note;  // the varying one's value; null: none varies
    std::uint64_t size() const { return kFramedHeader + payload.size(); }
  };
  using Blocks = std::vector<std::shared_ptr<const Kept>>;

  void drop_old(Time now);
  Blocks kept(Duration last = {}) const;
  Preamble preamble_of(const Blocks& blocks) const;
  // ends: the recording, so that what cannot be written is lost.
  static Snapshot write_file(const std::string& path, bool replace, const Preamble& preamble, const Blocks& blocks,
                             CaptureState state, Time ended, bool ends);
  [[noreturn]] static void fail(const std::system_error& error, file::BlockWriter& writer, const std::string& path,
                                const Snapshot& written, const Blocks& blocks, bool ends);

  const RingLimits limits_;
  const Preamble preamble_;
  const std::string path_;
  const bool replace_;
  std::string varying_, mixed_;              // a note's key, and its value where it differs
  std::shared_ptr<const std::string> note_;  // its present value
  file::Framer framer_;
  std::deque<std::shared_ptr<const Kept>> blocks_;
  std::atomic<std::uint64_t> bytes_{0}, count_{0}, raw_bytes_{0}, segment_bytes_{0};
  std::atomic<std::int64_t> first_{0};
  std::thread writing_;
  std::atomic<bool> busy_{false};
};

}  // namespace tailcap::formats::store
