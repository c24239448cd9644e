// Writes a capture: events in, blocks out.
//
// A Writer appends to FILE.partial, locks it, and renames it to FILE in finish(). If it is destroyed without
// finish() the partial file stays, readable up to the last block written.
//
// Columns builds a block on the recording thread (cheap: a copy per field); compress-and-write happens on a
// thread of the Writer's own behind a bounded queue, so that a stalled disk does not stop the ring from being
// drained. When the queue is full the block is dropped and counted as Loss{queue_full}.
//
// Errors of the environment (disk full, permission) throw std::system_error from the next call after they
// happened; what was written before stays readable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "formats/event_names.h"
#include "formats/file/block_sink.h"
#include "formats/preamble.h"
#include "formats/recorder_event.h"

namespace tailcap::formats {

// A block of events is also closed when its first event is this old: with a 50 ms poll, a killed recorder loses less
// than 250 ms.
inline constexpr Duration kBlockAge = std::chrono::milliseconds{180};

struct WriterTotals {
  std::uint64_t events = 0;
  std::uint64_t blocks = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t lost = 0;  // sum of Loss::count pushed, plus events in blocks dropped by a full queue
};

struct WriterOptions {
  // What may wait for a stalled disk: by default more than ten seconds of a saturated server.
  std::uint64_t queue_bytes = 64u << 20;
  bool wait = false;       // who can wait for the disk, as no recorder can, loses nothing to a full queue
  std::uint8_t flags = 0;  // of the preamble's block and the footer's: formats/file/marker.h
};

class Writer {
 public:
  // Creates PATH.partial and writes and fsyncs the preamble. Throws std::system_error if PATH exists and !force.
  Writer(const std::string& path, const Preamble& preamble, bool force, WriterOptions options = {});
  // Blocks go elsewhere. options.flags and let_name() are for files.
  explicit Writer(std::unique_ptr<file::BlockSink> sink, WriterOptions options = {});
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Appends to the open block of this stream; views are copied before it returns. Takes neither CaptureEnd nor Damage.
  void push(const Event& event, std::uint16_t stream = 0);
  // Events pushed between begin_keyframe and end_keyframe form a block of their own, flagged as keyframe.
  void begin_keyframe(Time now);
  void end_keyframe();
  // Closes blocks older than kBlockAge. Call at every poll.
  void tick(Time now);
  // Closes all blocks, writes the footer, fsyncs, renames. state: complete, or recovered for a copy of a part.
  void finish(Time now, CaptureState state = CaptureState::complete);
  // finish() has this rename PATH.partial to PATH: 0, or errno. replace: PATH may exist.
  void let_name(std::function<int(bool replace)> give_name);

  // Closes all blocks, and has the writer's thread call this when they are written.
  void after_blocks(std::function<void()> call);

  // Totals so far; file_bytes counts what has been handed to the disk, from any thread.
  WriterTotals totals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::formats
