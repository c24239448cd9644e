// Reads the frames that one end of an HTTP/2 connection sends and assembles them into items that can be processed.
//
// Owns all state of a single direction: frame borders, the header block being assembled, the header table, the settings
// that the end announced for itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/protocols/hpack/decoder.h"
#include "analyze/protocols/http2/frame_reader.h"
#include "analyze/protocols/http2/resync.h"
#include "analyze/protocols/http2/settings.h"

namespace tailcap::protocols::http2 {

struct SenderItem {
  enum class Kind : std::uint8_t {
    headers,  // a whole header block, as far as it is known: see block_step and Sender::fields
    promise,  // the same, of a pushed request
    data,     // a part of a DATA frame's payload, padding excluded
    control,  // RST_STREAM, SETTINGS, GOAWAY, WINDOW_UPDATE: payload, where it is known
    lost,     // the frames are not known from here on: `why`
  };
  Kind kind = Kind::lost;
  FrameHeader frame;  // of a header block: its first frame
  Stamp begin, end;   // first byte of the (first) frame; last byte of this item
  hpack::Step block_step = hpack::Step::done;
  std::uint32_t promised = 0;  // promise: the stream it is to be answered on; 0: not captured
  std::string_view payload;    // data, control: the bytes, or none where they were not captured
  std::uint64_t offset = 0;    // data: of its first byte in the stream
  std::uint32_t length = 0;    // data: body bytes
  bool body_known = true;      // data: `length` is exact
  bool last = true;            // data: the frame ends here
  model::Taint why = model::Taint::bytes_lost;
};

class Sender {
 public:
  // A header block longer than this is cut; no endpoint accepts one.
  static constexpr std::size_t kMaxBlock = 256u << 10;
  static constexpr std::size_t kMaxControl = 1024;

  // At the beginning of the direction. preface: it is the client's.
  void start(bool preface) { reader_.start(preface); }
  // Starts behind a border that `resync` found, or before there is one. The header table is not known.
  void start_late() {
    decoder_.lose();
    allow_any();
  }
  // The receiver's SETTINGS_MAX_FRAME_SIZE; where it was not seen, any length may be right.
  void allow(std::uint32_t longest) {
    resync.allow(longest);
    reader_.allow(longest);
  }
  void allow_any() { reader_.allow(kLargestMaxFrame); }
  void found_border() { reader_.start(false); }
  bool lost() const { return reader_.lost(); }
  std::size_t table_size() const { return decoder_.table().size(); }
  void drop_table() { decoder_.lose(); }
  bool inside() const { return reader_.inside() || block_open_; }
  // The next item in the rest of the run; false: all of the run is used, or the reader is lost.
  bool next(Cursor& cursor, SenderItem& item);

  hpack::FieldList fields;  // of the last headers or promise
  Settings settings;
  Resync resync;

 private:
  bool payload(const PayloadPart& part, const Cursor& cursor, SenderItem& item);
  void begin_frame(const FrameHeader& frame, const PayloadPart& part);
  void add_fragment(const PayloadPart& part);
  bool data(const PayloadPart& part, const Cursor& cursor, SenderItem& item);
  bool end_block(SenderItem& item);
  bool lose(const PayloadPart& part, Cursor& cursor, SenderItem& item);

  FrameReader reader_;
  hpack::Decoder decoder_;
  hpack::HeaderBlock block_;
  bool block_open_ = false;
  FrameHeader block_frame_;
  Stamp block_begin_, block_end_;
  std::string promised_;   // the captured bytes of a promised stream's four-byte number
  std::uint32_t pad_ = 0;  // of the frame at hand
  bool pad_known_ = true;
  std::string control_;
  bool control_known_ = true;
  bool losing_ = false;  // the next item is `lost`
  model::Taint why_ = model::Taint::bytes_lost;
};

}  // namespace tailcap::protocols::http2
