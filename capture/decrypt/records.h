// The records of one direction of a TLS connection as they are on the wire, put together from the kept bytes of the I/O
// that moved them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/event_names.h"
#include "formats/socket_event.h"
#include "ground/tls_record.h"

namespace tailcap::capture::decrypt {

// The I/O that completed a record.
struct Moment {
  formats::Time began = formats::kNoTime;  // a moment before the first I/O with bytes of it
  formats::Time done = formats::kNoTime;
  formats::Thread thread{};
  std::uint64_t goroutine = 0;
  std::uint64_t call = 0;  // of this direction; an I/O in several parts is one call
};

struct Record {
  formats::Direction direction = formats::Direction::out;
  std::array<char, ground::tls::kRecordHeader> header{};
  std::uint32_t length = 0;  // of the body
  std::string_view seen;     // the body, where the bytes of one I/O have all of it: valid as long as those
  std::string joined;        // otherwise: of the body, from its beginning
  std::string tail;          // of the body, up to its end; empty if the head is all of it
  std::uint64_t at = 0;      // the header's place in the direction's bytes, from the first that was seen
  bool after_gap = false;    // bytes were lost before it, among them at least one header
  Moment moment;

  ground::tls::ContentType type() const { return static_cast<ground::tls::ContentType>(header[0]); }
  std::string_view head() const { return seen.empty() ? std::string_view(joined) : seen; }
  bool whole() const { return head().size() == length; }
  // Makes it independent of the I/O's bytes.
  void keep() {
    if (!seen.empty()) joined = std::exchange(seen, {});
  }
};

class Records {
 public:
  explicit Records(formats::Direction direction) { record_.direction = direction; }

  // The next I/O of this direction. False: it does not begin as TLS does, and nothing of this direction ever will.
  bool moved(const formats::Event& event, const formats::Io& io, std::vector<Record>& done);
  bool lost() const { return lost_; }

 private:
  void feed(std::string_view bytes, std::vector<Record>& done);
  void skip(std::uint32_t n, std::vector<Record>& done);
  void lose();
  void finish(std::vector<Record>& done);

  Record record_;
  Moment now_;
  std::uint32_t next_ = 0;  // the position expected
  std::uint64_t place_ = 0, calls_ = 0;
  std::size_t header_have_ = 0;
  std::uint32_t have_ = 0;  // bytes of the body that have passed, seen or not
  bool begun_ = false, lost_ = false, in_body_ = false;
};

}  // namespace tailcap::capture::decrypt
