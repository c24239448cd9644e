// Reads a capture, whole, cut or damaged: events out, in file order.
//
// The order of events: by block sequence; inside a block in arrival order. Blocks of several streams are merged
// by time so that an event is never delivered more than kStreamSlack late. There is no global sort: consumers
// order by byte position first and by time second.
//
// After the last event the reader makes one CaptureEnd. Damaged stretches become Damage events at their place.
// Nothing in a file makes the reader crash, hang or take more memory than kMaxBlockRaw times the few blocks in flight.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/block.h"
#include "formats/event_names.h"
#include "formats/preamble.h"
#include "formats/recorder_event.h"

namespace tailcap::formats {

struct ReaderOptions {
  unsigned threads = 0;  // decoding ahead; 0: as many as help. The events are the same for every number.
};

// One block as `tailcap check` lists it.
struct BlockStatus {
  std::uint64_t offset = 0;  // in the file
  std::uint64_t sequence = 0;
  std::string type;  // "preamble", "events", "keyframe", "footer", "unknown"
  std::uint64_t events = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t stored_bytes = 0;
  Time first = kNoTime, last = kNoTime;
  std::string damage;  // empty: OK
};

struct FileSummary {
  CaptureState state = CaptureState::truncated;
  Time first = kNoTime, last = kNoTime;
  std::uint64_t events = 0, lost = 0, blocks = 0, damaged_blocks = 0, damaged_bytes = 0, unknown_blocks = 0;
  std::uint64_t raw_bytes = 0, file_bytes = 0;
};

class Reader {
 public:
  // Throws std::runtime_error (what, which, why, what to do) if the file cannot be opened or is no capture at all.
  explicit Reader(const std::string& path, ReaderOptions options = {});
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // The preamble; if its block is damaged, one with empty fields.
  const Preamble& preamble() const;

  // Before the first next(): leaves out what comes before the block at this place of the order (formats/skim/skim.h).
  void begin_at(std::size_t place);
  // Begins to load what next() will give first. Without it, the first next() does.
  void start();
  // The next events, of one block; empty once after CaptureEnd was delivered. Valid until the call after the last
  // events of the block after that: see between_blocks().
  std::span<const Event> next();
  // The events that next() gave were the last of their block.
  bool between_blocks() const;

  // Totals from the headers alone, without inflating anything.
  FileSummary summary();

  // Verifies one block after the other: header, checksum, decompression, message. Independent of next().
  std::vector<BlockStatus> check();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Copies every whole block of `in` to `out` and writes a footer with state recovered. Returns what check() says of
// `in`.
std::vector<BlockStatus> recover(const std::string& in, const std::string& out, bool force);

struct RecompressOptions {
  int level = 19;  // of zstd: 1 to 22
  bool force = false;
  unsigned threads = 0;  // 0: as many as there are CPUs. The result is the same for every number.
};
// Copies every whole block of `in` to `out`, compressed at another level. Blocks keep their contents, numbers and
// flags. The state of `out` is that of `in` if all of `in` is sound, otherwise recovered. Returns what check() says of
// `in`.
std::vector<BlockStatus> recompress(const std::string& in, const std::string& out, const RecompressOptions& options);

}  // namespace tailcap::formats
