// Overwrites the values of credential headers with '*' in whatever payload goes by, before it reaches the file.
//
// authorization, proxy-authorization, cookie, set-cookie, x-api-key; any case; lengths, CR and LF are kept, so that
// message framing survives; continuation lines are overwritten too. A value may be split over I/Os at any byte: the
// state of each socket and direction is carried on as long as positions are continuous. Where they are not (lost or
// uncaptured bytes, a connection that existed before) it may be in the middle of such a value: everything up to the
// first line break is overwritten, unless it begins like an HTTP message. Rather too much than too little.
//
// A connection that began with HTTP/2's preface, or whose bytes can only be its frames, goes through HeaderBlockMask. Where
// the borders of frames are lost, payload is withheld until a frame begins again.
//
// Plaintext of TLS sessions is masked like the bytes of sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "capture/header_block_mask.h"
#include "formats/event.h"

namespace tailcap::capture {

class Mask {
 public:
  // Tables of this many sockets are forgotten as a whole: the states then are uncertain, so nothing leaks.
  static constexpr std::size_t kMaxSockets = 1u << 18;

  // A new connection begins at the positions in info. Of those in a keyframe only what existed before belongs here:
  // the others are in the middle of their streams. Datagram sockets: at any time.
  void begin(const formats::SocketInfo& info);
  void begin(const formats::TlsStep& step);
  void forget(std::uint64_t socket_or_session);
  // Replaces head and tail by overwritten copies where something had to be; they are valid until the next call.
  void apply(formats::Io& io);
  void apply(formats::TlsIo& io);

 private:
  // unknown: perhaps in the middle of a secret
  enum class Mode : std::uint8_t { unknown, line_start, name, value, secret };
  struct State {
    std::uint32_t expected = 0;  // low half of the position that would continue this state
    Mode mode = Mode::unknown;
    bool used = false;            // an I/O has gone by
    bool continues = false;       // at a line start: the line before was secret, and may be continued
    std::uint8_t candidates = 0;  // names that fit so far, as bits
    std::uint8_t length = 0;      // bytes of the name seen
  };
  struct Http2 {
    HeaderBlockMask direction[2];
  };
  struct Socket {
    State direction[2];
    std::unique_ptr<Http2> http2;
    bool guessed = false;  // http2 without a preface seen
    bool http1 = false;    // a message of HTTP/1 began an I/O
    bool names = false;    // datagrams to and from a name server: they hold no header
  };

  template <class AnyIo>
  void apply_to(Socket& socket, AnyIo& io);
  template <class AnyIo>
  void apply_http2(HeaderBlockMask& mask, AnyIo& io);
  Socket& socket_of(std::uint64_t id);
  void scan(State& state, std::string_view bytes, std::size_t base);
  void overwrite(std::size_t begin, std::size_t end);
  void copy();

  std::unordered_map<std::uint64_t, Socket> sockets_;
  std::string_view head_, tail_;  // of the I/O at work
  std::string copy_;
  bool copied_ = false;
  std::vector<HeaderBlockMask::Edit> edits_;
};

}  // namespace tailcap::capture
