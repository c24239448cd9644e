// One connection, or one TLS session's plaintext: decides what each direction carries, and so what is kept of it.
//
// The kind of a direction is decided by its first bytes, if those were seen; by an upgrade that was seen; or, if the
// beginning was not seen, by an I/O that begins with a message, a record or frames that prove themselves. It is
// never decided anew: HTTP/1 does not become HTTP/2 by anything that a body may hold. What fits nothing stays out for
// good.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/mask/call.h"
#include "formats/mask/http1.h"
#include "formats/mask/http2.h"
#include "formats/mask/tls_records.h"
#include "formats/mask/waiting.h"
#include "formats/sheet.h"
#include "ground/http/preamble.h"

namespace tailcap::formats::mask {

// The bytes of one I/O: `length` were moved; the first and the last of them are visible.
struct Moved {
  std::uint32_t position = 0;  // the low half is enough to know whether it continues
  std::uint32_t length = 0;
  std::string_view head, tail;
};

class Connection {
 public:
  // The connection was seen from its beginning, at these positions; otherwise the position in a message is unknown.
  void begin(std::uint32_t next_out, std::uint32_t next_in, bool from_beginning);
  // Who connected sends requests: in this direction, 0 out, 1 in. What is found in the middle of a stream must fit.
  void requests_move(unsigned direction) { requests_ = static_cast<std::int8_t>(direction & 1); }
  // It is known how the connection came to be. Until then only TLS is found in the middle of a stream: the beginning
  // of what is not described was lost, and it may be a tunnel in which text looks like HTTP.
  void described() { described_ = true; }
  // The connection carries datagrams of a name server.
  void names() { names_ = true; }
  bool is_names() const { return names_; }
  // It carries something else; true the first time.
  bool no_names() { return !std::exchange(foreign_, true); }
  bool used() const { return way_[0].used || way_[1].used; }

  // Puts the kept bytes on the sheet. direction: 0 out, 1 in.
  void moved(unsigned direction, const Moved& bytes, Sheet& sheet, const Rules& rules);

  // A program of the kernel added bytes to what was moved last: they are no part of what the program said.
  void added(unsigned direction, std::uint32_t position, std::uint32_t length) {
    Way& way = way_[direction & 1];
    if (way.placed && way.expected == position) way.expected += length;
  }

  // Reports to the budget what this connection holds.
  void account(Waiting& waiting, std::uint64_t id) { share_.holds(waiting, id, held()); }
  // It holds nothing any more: what it waited for is in doubt.
  void let_go();

  // Results for the statement in the file.
  bool in_doubt() const { return doubt_; }
  bool foreign() const { return foreign_; }
  // Records of TLS, also where its plaintext passes here as a session of its own.
  bool encrypted() const { return way_[0].kind == Kind::tls || way_[1].kind == Kind::tls; }
  std::uint64_t withheld() const { return withheld_; }
  // Calls of this direction whose bytes were withheld in doubt; none before a message or frames prove HTTP, but those
  // from before the connection was described.
  std::uint64_t withheld_calls(unsigned direction) const {
    return undescribed_calls_[direction & 1] + (http_ ? calls_[direction & 1] : 0);
  }
  bool is_described() const { return described_; }
  // Requests of this direction so far, as far as their heads were read; responses of it that are errors of a server, of
  // HTTP/1 only.
  std::uint64_t requests(unsigned direction) const;
  std::uint64_t server_errors(unsigned direction) const;
  bool is_http2() const { return way_[0].kind == Kind::http2 || way_[1].kind == Kind::http2; }

 private:
  enum class Kind : std::uint8_t { late, fresh, http1, http2, tls, call, foreign };
  struct Way {
    Kind kind = Kind::late;
    bool used = false, placed = false;
    std::uint32_t expected = 0;
    std::uint8_t stars = 0;  // asterisks for bytes that fit no protocol: a reader must see that they do not
    std::unique_ptr<ground::Preamble> preamble;  // fresh: what stands before the first request
    Http1 http1;
    std::unique_ptr<Http2> http2;
    TlsRecords tls;
  };

  void feed(Way& way, std::string_view bytes, std::size_t base, std::uint32_t whole_io, Sheet& sheet,
            const Rules& rules);
  std::size_t one(Way& way, std::string_view bytes, std::size_t base, std::uint32_t whole_io, Sheet& sheet,
                  const Rules& rules);
  void skip(Way& way, std::uint64_t n, bool gap);
  std::size_t preamble(Way& way, std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  void decide(Way& way, std::string_view bytes);
  void find(Way& way, std::string_view bytes, std::uint32_t whole_io);
  bool answered(const Way& way, std::string_view bytes);
  void must_fit(Way& way);
  void become(Way& way, Kind kind);
  void turned(Way& way, Http1::Turn turn);
  void proved(Way& way);
  void refuse(Way& way);
  bool lost(Way& way);
  bool begins_call(Way& way, std::string_view bytes);
  bool finds_call(unsigned direction, const Moved& bytes, Sheet& sheet, const Rules& rules);
  void carries_call(calls::Stream stream, unsigned requests);
  void move_call(unsigned direction, const Moved& bytes, Sheet& sheet, const Rules& rules);
  void withhold(unsigned direction, const Moved& bytes);
  std::size_t held() const;
  Way& other(const Way& way) { return &way == &way_[0] ? way_[1] : way_[0]; }

  Way way_[2];
  Questions questions_;
  std::unique_ptr<Call> call_;             // kind call, both directions
  std::unique_ptr<calls::Finder> finder_;  // kind late
  std::optional<calls::Kind> was_call_;    // and its position was lost: nothing else is found
  bool blotted_ = false;                   // kind late: who wrote the capture showed an I/O as unknown
  std::size_t call_from_ = 0;              // where the first call begins in the I/O that decided it
  std::int8_t requests_ = -1;              // direction of requests; -1: not known
  std::int8_t asked_ = -1;                 // not described: the direction in which a request was found last
  bool described_ = false, names_ = false, doubt_ = false, foreign_ = false, http_ = false;
  Waiting::Share share_;
  std::uint64_t withheld_ = 0, calls_[2] = {0, 0}, undescribed_calls_[2] = {0, 0};
};

}  // namespace tailcap::formats::mask
