#include "analyze/streams/tls_records.h"

#include <algorithm>

namespace tailcap::streams {
namespace {

constexpr std::uint8_t kApplicationData = 23;

std::uint32_t length_of(std::string_view header) {
  return static_cast<std::uint32_t>(static_cast<std::uint8_t>(header[3]) << 8 | static_cast<std::uint8_t>(header[4]));
}

}  // namespace

bool looks_like_record(std::string_view bytes) {
  if (bytes.size() < kRecordHeader) return false;
  const auto type = static_cast<std::uint8_t>(bytes[0]);
  return type >= 20 && type <= 23 && bytes[1] == 3 && static_cast<std::uint8_t>(bytes[2]) <= 4 &&
         length_of(bytes) <= kMaxRecord;
}

void RecordTracker::lose() {
  synced_ = false;
  have_ = 0;
  left_ = 0;
}

void RecordTracker::push(const formats::Io& io, std::vector<std::uint32_t>& records) {
  const auto position = static_cast<std::uint32_t>(io.position);
  if (synced_ && position != position_) lose();
  if (!synced_) {
    // A piece may begin inside a record with bytes that look like this: then the next header is not where it should be.
    if (!looks_like_record(io.head)) return;
    synced_ = true;
  }
  position_ = position + io.length;
  const std::string_view head = io.head.substr(0, std::min<std::size_t>(io.head.size(), io.length));
  const std::string_view tail = io.tail.substr(0, std::min<std::size_t>(io.tail.size(), io.length - head.size()));
  std::uint64_t at = 0;
  while (at < io.length) {
    if (left_ > 0) {
      const std::uint64_t n = std::min<std::uint64_t>(left_, io.length - at);
      at += n;
      left_ -= n;
      if (left_ == 0 && application_) records.push_back(length_);
      continue;
    }
    // The header: where all of what is there of it was captured.
    const std::uint64_t want = std::min<std::uint64_t>(kRecordHeader - have_, io.length - at);
    std::string_view seen;
    if (at + want <= head.size())
      seen = head.substr(at, want);
    else if (const std::uint64_t begin = io.length - tail.size(); at >= begin)
      seen = tail.substr(at - begin, want);
    if (seen.size() < want) return lose();
    std::copy(seen.begin(), seen.end(), header_ + have_);
    have_ = static_cast<std::uint8_t>(have_ + want);
    at += want;
    if (have_ < kRecordHeader) return;
    have_ = 0;
    const std::string_view header(header_, kRecordHeader);
    if (!looks_like_record(header)) return lose();
    sure_ = true;
    application_ = static_cast<std::uint8_t>(header_[0]) == kApplicationData;
    left_ = length_ = length_of(header);
  }
}

}  // namespace tailcap::streams
