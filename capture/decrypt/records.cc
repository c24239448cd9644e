#include "capture/decrypt/records.h"

#include <algorithm>
#include <utility>

#include "formats/event.h"

namespace tailcap::capture::decrypt {

using ground::tls::kRecordHeader;

namespace {

// What is further back than this is no reordering of two CPUs.
constexpr std::uint32_t kBehind = 1u << 31;

}  // namespace

void Records::lose() {
  lost_ = true;
  in_body_ = false;
  have_ = 0;
  header_have_ = 0;
  record_.joined.clear();
  record_.tail.clear();
}

bool Records::moved(const formats::Event& event, const formats::Io& io, std::vector<Record>& done) {
  const auto position = static_cast<std::uint32_t>(io.position);
  if (!io.continued) calls_++;
  now_ = {event.time - formats::Duration{1}, event.time, event.thread, event.goroutine, calls_};
  if (!begun_) {
    // The first bytes: of a record, at least its type.
    if (io.head.empty() || static_cast<unsigned char>(io.head[0]) != 0x16) return false;
    begun_ = true;
    next_ = position;
  }
  const std::uint32_t ahead = position - next_;
  if (ahead >= kBehind) return true;  // recorded late; it was skipped
  next_ = position + io.length;
  if (ahead > 0) skip(ahead, done);
  if (lost_) {
    // An I/O that begins with the header of an application record: the number of that record proves itself, or not.
    if (ground::tls::plausible(io.head) && io.head[0] == 0x17) {
      lost_ = false;
      record_.after_gap = true;
    }
  }
  feed(io.head, done);
  if (const std::size_t seen = io.head.size() + io.tail.size(); io.length > seen)
    skip(io.length - static_cast<std::uint32_t>(seen), done);
  feed(io.tail, done);
  return true;
}

void Records::feed(std::string_view bytes, std::vector<Record>& done) {
  while (!bytes.empty()) {
    if (lost_) {
      place_ += bytes.size();
      return;
    }
    if (!in_body_) {
      if (header_have_ == 0) {
        record_.at = place_;
        record_.moment.began = now_.began;
      }
      const std::size_t n = std::min(kRecordHeader - header_have_, bytes.size());
      bytes.copy(record_.header.data() + header_have_, n);
      header_have_ += n;
      bytes.remove_prefix(n);
      place_ += n;
      if (header_have_ < kRecordHeader) return;
      const std::string_view header(record_.header.data(), kRecordHeader);
      if (!ground::tls::plausible(header)) {
        lose();
        continue;
      }
      record_.length = ground::tls::parse_record_header(header).length;
      in_body_ = true;
      have_ = 0;
      if (record_.length == 0) finish(done);
      continue;
    }
    const std::size_t n = std::min<std::size_t>(record_.length - have_, bytes.size());
    if (n == record_.length)
      record_.seen = bytes.substr(0, n);
    else
      (record_.joined.size() == have_ ? record_.joined : record_.tail) += bytes.substr(0, n);
    have_ += static_cast<std::uint32_t>(n);
    place_ += n;
    bytes.remove_prefix(n);
    if (have_ == record_.length) finish(done);
  }
}

void Records::skip(std::uint32_t n, std::vector<Record>& done) {
  place_ += n;
  if (lost_) return;
  if (!in_body_ || n > record_.length - have_) return lose();
  // A second gap: only what follows the last one is the record's end.
  record_.tail.clear();
  have_ += n;
  if (have_ == record_.length) finish(done);
}

void Records::finish(std::vector<Record>& done) {
  const formats::Time began = record_.moment.began;
  record_.moment = now_;
  record_.moment.began = std::min(began, now_.began);
  done.push_back(std::move(record_));
  record_ = {};
  record_.direction = done.back().direction;
  in_body_ = false;
  header_have_ = 0;
  have_ = 0;
}

}  // namespace tailcap::capture::decrypt
