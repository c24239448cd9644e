// A recording in several files of bounded size, of which the last few are kept. Each is a whole capture that begins
// with a keyframe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "formats/file/block_sink.h"
#include "formats/file/block_writer.h"

namespace tailcap::formats::store {

class Rotation : public file::BlockSink {
 public:
  // PATH "flight.tcap" makes flight-000001.tcap, flight-000002.tcap, … of at most `bytes` each, and keeps `keep` of
  // them. Throws std::system_error.
  Rotation(std::string path, Preamble preamble, bool replace, std::uint64_t bytes, std::size_t keep);

  // PATH of the file with this number.
  static std::string file_name(std::string_view path, std::uint64_t number);

  void write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) override;
  void finish(CaptureState state, Time ended) override;
  // Begins another file, with this note in the preamble of all from there on; its value "": without. A keyframe should
  // follow.
  void begin_file(const std::pair<std::string, std::string>& note, Time ended);

  std::uint64_t file_bytes() const override;
  std::uint64_t blocks() const override { return blocks_.load(std::memory_order_relaxed); }
  std::uint64_t raw_bytes() const override { return raw_bytes_.load(std::memory_order_relaxed); }
  // The file is nearly full: the next keyframe begins another one. From any thread.
  bool wants_keyframe() const { return nearly_full_.load(std::memory_order_relaxed); }

 private:
  void open();
  void next(Time ended);
  // The size of the file with one more block, header and footer entry.
  std::uint64_t size_with(std::uint64_t payload) const;

  const std::string path_;
  Preamble preamble_;
  const bool replace_;
  const std::uint64_t bytes_;
  const std::size_t keep_;
  file::Framer framer_;
  std::unique_ptr<file::BlockWriter> file_;
  std::uint64_t number_ = 0;
  std::deque<std::string> files_;    // the oldest first, the open one last
  std::deque<std::uint64_t> sizes_;  // of all but the last
  std::atomic<std::uint64_t> closed_bytes_{0}, open_bytes_{0}, blocks_{0}, raw_bytes_{0};
  std::atomic<bool> nearly_full_{false};
};

}  // namespace tailcap::formats::store
