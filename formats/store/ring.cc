#include "formats/store/ring.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "formats/file/block_writer.h"
#include "formats/printable.h"

namespace tailcap::formats::store {

Ring::Ring(const RingLimits& limits, Preamble preamble, std::string path, bool replace)
    : limits_(limits), preamble_(std::move(preamble)), path_(std::move(path)), replace_(replace) {}

void Ring::note_varies(const std::string& key, const std::string& mixed) {
  varying_ = key;
  mixed_ = mixed;
  const auto found =
      std::find_if(preamble_.notes.begin(), preamble_.notes.end(), [&](const auto& note) { return note.first == key; });
  note_from_here(found == preamble_.notes.end() ? std::string() : found->second);
}

void Ring::note_from_here(const std::string& value) { note_ = std::make_shared<const std::string>(value); }

Ring::~Ring() {
  if (writing_.joinable()) writing_.join();
}

void Ring::write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) {
  const file::FramedBlock framed = framer_.frame(block, type, stream);
  if (type == BlockType::keyframe) {
    segment_bytes_ = 0;
    drop_old(block.last);
  }
  auto kept = std::make_shared<Kept>(framed.header, framed.payload, note_);
  bytes_ += kept->size();
  segment_bytes_ += kept->size();
  raw_bytes_ += kept->header.raw_size;
  ++count_;
  blocks_.push_back(std::move(kept));
  if (blocks_.size() == 1) first_ = nanoseconds(blocks_.front()->header.first);
}

// Called before a keyframe is kept: every segment has ended.
void Ring::drop_old(Time now) {
  const auto is_keyframe = [](const auto& block) { return block->header.is(BlockType::keyframe); };
  while (true) {
    // Where the second segment begins.
    const auto next = std::find_if(blocks_.empty() ? blocks_.begin() : blocks_.begin() + 1, blocks_.end(), is_keyframe);
    if (next == blocks_.end()) break;
    const bool too_many = limits_.bytes > 0 && bytes_ > limits_.bytes;
    const bool too_old = limits_.last.count() > 0 && (*next)->header.last <= now - limits_.last;
    if (!too_many && !too_old) break;
    for (auto at = blocks_.begin(); at != next; ++at) bytes_ -= (*at)->size();
    blocks_.erase(blocks_.begin(), next);
  }
  if (!blocks_.empty()) first_ = nanoseconds(blocks_.front()->header.first);
}

Ring::Blocks Ring::kept(Duration last) const {
  auto begin = blocks_.begin();
  if (last.count() > 0 && !blocks_.empty()) {
    const Time since = blocks_.back()->header.last - last;
    for (auto at = begin; at != blocks_.end(); ++at)
      if ((*at)->header.is(BlockType::keyframe) && (*at)->header.first <= since) begin = at;
  }
  return {begin, blocks_.end()};
}

Preamble Ring::preamble_of(const Blocks& blocks) const {
  Preamble preamble = preamble_;
  if (varying_.empty() || blocks.empty()) return preamble;
  const std::string& first = *blocks.front()->note;
  const bool same = std::all_of(blocks.begin(), blocks.end(), [&](const auto& block) { return *block->note == first; });
  preamble.replace_note(varying_, same ? first : mixed_);
  return preamble;
}

Ring::Snapshot Ring::write_file(const std::string& path, bool replace, const Preamble& preamble, const Blocks& blocks,
                                CaptureState state, Time ended, bool ends) {
  Snapshot out;
  file::BlockWriter writer(path, replace);
  bool written = false;
  try {
    writer.write(preamble);
    for (const auto& block : blocks) {
      writer.write({block->header, block->payload});
      out.events += block->header.events;
      if (!known(out.first)) out.first = block->header.first;
      out.last = std::max(out.last, block->header.last);
    }
    written = true;
    writer.finish(state, known(ended) ? ended : out.last);
  } catch (const std::system_error& e) {
    if (written) throw;  // all of it is there
    fail(e, writer, path, out, blocks, ends);
  }
  out.bytes = writer.file_bytes();
  return out;
}

// A snapshot is made of what stays in memory. At the end of the recording, what does not fit is lost: that is said.
void Ring::fail(const std::system_error& error, file::BlockWriter& writer, const std::string& path,
                const Snapshot& written, const Blocks& blocks, bool ends) {
  const std::string why = "cannot write " + printable(path) + ": " + error.code().message();
  if (!ends || written.events == 0) writer.discard();
  if (!ends) throw std::runtime_error(why + "; no part of the snapshot was kept. Make room and ask for it again");
  std::uint64_t events = 0;
  for (const auto& block : blocks) events += block->header.events;
  if (written.events == 0)
    throw std::runtime_error(why + "; the recording was in memory and is lost, all " + std::to_string(events) +
                             " events of it");
  throw std::runtime_error(why + "; the recording was in memory, and the last " +
                           std::to_string(events - written.events) + " of its " + std::to_string(events) +
                           " events are lost. The others are in " + printable(path) +
                           ".partial: make room, then `tailcap recover` it");
}

bool Ring::snapshot(const std::string& path, Duration last, std::pair<std::string, std::string> note,
                    std::function<void(const Snapshot&)> done) {
  if (busy_.exchange(true)) return false;
  if (writing_.joinable()) writing_.join();
  Blocks blocks = kept(last);
  Preamble preamble = preamble_of(blocks);
  preamble.notes.push_back(std::move(note));
  writing_ =
      std::thread([this, path, preamble = std::move(preamble), blocks = std::move(blocks), done = std::move(done)] {
        Snapshot result;
        try {
          result = write_file(path, false, preamble, blocks, CaptureState::complete, kNoTime, false);
        } catch (const std::exception& e) {
          result.error = e.what();
        }
        busy_ = false;
        done(result);
      });
  return true;
}

void Ring::finish(CaptureState state, Time ended) {
  if (writing_.joinable()) writing_.join();
  const Blocks blocks = kept();
  const Snapshot written = write_file(path_, replace_, preamble_of(blocks), blocks, state, ended, true);
  blocks_.clear();
  bytes_ = written.bytes;
}

}  // namespace tailcap::formats::store
