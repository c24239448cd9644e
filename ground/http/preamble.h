// What may stand on a connection before its first request, whether that is HTTP/1, HTTP/2 or a handshake of TLS: empty
// lines, and what a proxy says of the connection that it passes on (the PROXY protocol: version 1 is a line of text,
// version 2 is binary and says its length in 16 bits). Several may follow each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailcap::ground {

class Preamble {
 public:
  enum class Part : std::uint8_t {
    none,       // the next byte belongs to no preamble: the connection begins with undecided() and it
    constant,   // a byte that the protocol prescribes
    address,    // of an address or a port
    extension,  // anything: what a proxy adds to the addresses
  };
  struct Piece {
    Part part = Part::none;
    std::size_t size = 0;
  };
  // The next bytes of the direction, at least one: what the first of them are.
  Piece next(std::string_view bytes);
  // n bytes that were not seen. False: they may hold the beginning of the connection.
  bool skip(std::uint64_t n);
  // Bytes that were reported as `constant` or `address` and are the beginning of the connection if a preamble does not
  // follow from them: "P" may begin POST.
  std::string_view undecided() const;
  // Whether a preamble may begin with this byte.
  static bool may_begin(char c) { return c == '\r' || c == '\n' || c == 'P'; }
  // No preamble is under way.
  bool at_border() const { return state_ == State::border; }
  // Bytes that follow before the next border, as far as is known.
  std::uint32_t left() const { return left_; }

 private:
  enum class State : std::uint8_t { border, signature, line, header, block };
  static constexpr std::size_t kMaxLine = 107, kHeader = 16;

  Piece in_signature(char c);
  Piece in_line(char c);
  Piece in_header(char c);
  void begin_block();
  bool line_goes_on(char c) const;

  State state_ = State::border;
  char text_[kMaxLine] = {};
  std::size_t have_ = 0;
  std::uint32_t left_ = 0, addresses_ = 0;  // of the block: bytes left, of them those of addresses
};

// The first bytes of a direction.
struct Begun {
  std::uint64_t preamble = 0;  // bytes of preambles; more than were given where the last one goes on
  bool decided = false;        // what follows is known to be no preamble
};
Begun after_preamble(std::string_view begin);

}  // namespace tailcap::ground
