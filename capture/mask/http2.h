// One direction of an HTTP/2 connection: frame headers are kept, header blocks masked, and of the rest what a reader
// needs.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "capture/mask/header_block.h"
#include "capture/mask/header_list.h"
#include "capture/mask/sheet.h"

namespace tailcap::capture::mask {

class Http2 {
 public:
  // preface: bytes of the client's preface that are still to come. settings_first: frames begin, and the first is
  // SETTINGS.
  explicit Http2(std::size_t preface = 0, bool settings_first = false)
      : preface_(preface), settings_first_(settings_first) {}
  // The next bytes of the stream; whole_io: how long the I/O is that begins with them, 0 where they do not begin one.
  void feed(std::string_view bytes, std::size_t base, std::size_t whole_io, Sheet& sheet, const HeaderList& list);
  // Bytes of the same I/O that cannot be seen.
  void skip(std::uint64_t n);
  // Bytes that were moved by others.
  void gap(std::uint64_t n);
  // Where frames begin is not known.
  void lose();
  bool lost() const { return lost_; }
  bool take_lost() { return std::exchange(was_lost_, false) || lost_; }
  // While lost: whether frames begin in the I/O that begins with these bytes. Then they are fed next.
  bool look(std::string_view bytes, std::size_t whole_io);
  // A frame was read.
  bool proved() const { return proved_; }

  // Whether these bytes are the header of a frame, judged as strictly as where nothing is known.
  static bool plausible(std::string_view header);

 private:
  static constexpr std::size_t kHeader = 9;
  static constexpr std::size_t kMaxCalls = 4096;  // gRPC calls that are under way; of more, prefixes are hidden

  enum class Part : std::uint8_t { header, pad_length, prefix, fragment, control, data, rest };
  // The messages in the body of a gRPC call.
  struct Call {
    std::uint32_t have = 0;  // of a prefix
    std::uint64_t left = 0;
    bool guessed = false;  // its content type is not known
  };

  bool begin_frame();
  void next_frame();
  void end_block();
  std::size_t search(std::string_view bytes, std::size_t whole_io);
  void resume();
  void data(std::string_view bytes, std::size_t base, Sheet& sheet);

  std::size_t preface_ = 0;
  // Frames were followed from their beginning on; otherwise what looks like one may be none, and is judged more
  // strictly.
  bool certain_ = true;
  bool settings_first_ = false, lost_ = false, was_lost_ = false, proved_ = false;
  Part part_ = Part::header;
  unsigned char header_[kHeader] = {};
  std::size_t have_ = 0;      // of the header
  std::uint32_t left_ = 0;    // of the payload
  std::uint32_t prefix_ = 0;  // of what comes in front of a fragment, or is kept of another frame
  std::uint32_t padding_ = 0;
  std::uint32_t stream_ = 0;
  std::uint32_t open_block_ = 0;  // stream of a header block that goes on in CONTINUATION
  bool block_cut_ = false, block_ends_stream_ = false;
  HeaderBlock block_;
  std::unordered_map<std::uint32_t, Call> calls_;
  std::uint64_t candidate_ = 0;  // lost: bytes to the place where a frame would begin if one began where we thought
  bool searching_ = false;
  std::size_t found_at_ = 0;
};

}  // namespace tailcap::capture::mask
