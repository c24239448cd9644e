#include "analyze/protocols/tls/record_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tailcap::protocols::tls {

void RecordReader::gap(std::uint64_t n) {
  if (n == 0 || lost_) return;
  // Inside a record of known length the border behind it is still known.
  if (have_ == kRecordHeader && n <= record_.length - done_) {
    done_ += static_cast<std::uint32_t>(n);
    if (done_ == record_.length) have_ = 0;
    return;
  }
  lost_ = true;
  have_ = 0;
}

bool RecordReader::found_again(const Cursor& cursor) {
  if (!cursor.at_start() || !plausible(cursor.known().substr(0, kRecordHeader))) return false;
  lost_ = false;
  resumed_ = true;
  have_ = 0;
  return true;
}

bool RecordReader::next(Cursor& cursor, Fragment& f) {
  if (cursor.left() == 0) return false;
  if (refused_ || (lost_ && !found_again(cursor))) {
    cursor.skip(cursor.left());
    return false;
  }
  bool first = false;
  while (have_ < kRecordHeader) {
    if (cursor.left() == 0) return false;
    const std::string_view known = cursor.known().substr(0, kRecordHeader - have_);
    if (known.empty()) {
      lost_ = true;
      have_ = 0;
      cursor.skip(cursor.left());
      return false;
    }
    if (have_ == 0) {
      begin_ = cursor.offset();
      begun_arrived_ = arrival_of(cursor.run(), begin_);
      begun_done_ = cursor.run().done;
      thread_ = cursor.run().thread;
    }
    std::memcpy(header_ + have_, known.data(), known.size());
    have_ += known.size();
    cursor.skip(known.size());
    if (have_ < kRecordHeader) continue;
    if (!plausible({header_, kRecordHeader})) {
      // What was found again by its looks was none after all; what began as TLS is broken.
      have_ = 0;
      if (records_ == 0) refused_ = true;
      lost_ = true;
      cursor.skip(cursor.left());
      return false;
    }
    record_ = parse_record_header({header_, kRecordHeader});
    done_ = 0;
    ++records_;
    first = true;
  }
  // A header at the end of its run is passed on all the same: a record begins.
  std::uint64_t n = std::min<std::uint64_t>(record_.length - done_, cursor.left());
  if (n == 0 && record_.length != done_ && !first) return false;
  f = {};
  f.record = record_;
  f.first = first;
  f.resumed = first && std::exchange(resumed_, false);
  f.begin = begin_;
  f.begun_arrived = begun_arrived_;
  f.begun_done = begun_done_;
  f.thread = thread_;
  if (n > 0) {
    f.bytes = cursor.known();
    n = std::min(n, f.bytes.empty() ? cursor.unknown() : f.bytes.size());
    f.bytes = f.bytes.substr(0, n);
  }
  f.length = static_cast<std::uint32_t>(n);
  cursor.skip(n);
  done_ += f.length;
  f.last = done_ == record_.length;
  if (f.last) have_ = 0;
  return true;
}

}  // namespace tailcap::protocols::tls
