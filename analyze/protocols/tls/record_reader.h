// Cuts one direction of a TLS connection into records, over runs that are cut anywhere and known only in part.
//
// Only the five bytes in front of each record must be known. Where they are not, the reader is lost; it goes on where a
// run begins with what can be a record's header, and says that it did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analyze/protocols/input/cursor.h"
#include "ground/tls_record.h"

namespace tailcap::protocols::tls {

using namespace ground::tls;

// A stretch of one record's payload that is either known or not.
struct Fragment {
  RecordHeader record;
  bool first = false;       // the record's first fragment; records without payload have one, too
  bool last = false;        // the record ends with it
  bool resumed = false;     // first record after bytes in which the framing was lost
  std::uint64_t begin = 0;  // stream offset of the record's header
  model::Time begun_arrived = model::kNoTime, begun_done = model::kNoTime;  // of the header's first byte
  model::Thread thread;
  std::uint32_t length = 0;
  std::string_view bytes;  // `length` bytes, or none: not captured
};

class RecordReader {
 public:
  // The stream's first byte is not known to begin a record.
  void start_lost() { lost_ = true; }
  bool lost() const { return lost_; }
  // A header came that is none.
  bool refused() const { return refused_; }
  // n bytes in front of the next run are missing.
  void gap(std::uint64_t n);
  // The next fragment in what is left of the run; false: all of it is used.
  bool next(Cursor& cursor, Fragment& fragment);
  std::uint64_t records() const { return records_; }
  // In the middle of a record or of its header.
  bool inside() const { return have_ != 0; }

 private:
  bool found_again(const Cursor& cursor);

  bool lost_ = false, resumed_ = false, refused_ = false;
  char header_[kRecordHeader] = {};
  std::size_t have_ = 0;  // bytes of the header
  RecordHeader record_;
  std::uint64_t begin_ = 0;
  model::Time begun_arrived_ = model::kNoTime, begun_done_ = model::kNoTime;
  model::Thread thread_;
  std::uint32_t done_ = 0;  // of the record's payload
  std::uint64_t records_ = 0;
};

}  // namespace tailcap::protocols::tls
