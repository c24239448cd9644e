#include "capture/mask.h"

#include <array>
#include <cassert>
#include <cstring>

namespace tailcap::capture {

using formats::Io;

namespace {

constexpr std::array<std::string_view, 5> kSecrets = {"authorization", "proxy-authorization", "cookie", "set-cookie",
                                                      "x-api-key"};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// For each first letter of a header, the secret names it may begin.
constexpr std::array<std::uint8_t, 256> first_letters() {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < kSecrets.size(); i++) {
    const auto c = static_cast<unsigned char>(kSecrets[i][0]);
    table[c] = static_cast<std::uint8_t>(table[c] | 1u << i);
    table[c - 32u] = static_cast<std::uint8_t>(table[c - 32u] | 1u << i);
  }
  return table;
}
constexpr auto kFirstLetters = first_letters();

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// No value of a header has a zero byte or a control character. Most frames of HTTP/2 begin with the former, every record of
// TLS with two of the latter (its type and version): such an I/O goes on with no secret of HTTP/1.
bool begins_frame(std::string_view bytes) {
  if (bytes.empty()) return false;
  return bytes[0] == '\0' || (bytes.size() >= 2 && bytes[0] >= 0x14 && bytes[0] <= 0x18 && bytes[1] == 0x03);
}

bool begins_message(std::string_view bytes) {
  static constexpr std::array<std::string_view, 11> kStarts = {
      "HTTP/1.", "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "CONNECT ", "PATCH ", "TRACE ", "PRI * "};
  for (auto start : kStarts) {
    if (bytes.starts_with(start)) return true;
  }
  return false;
}

}  // namespace

void Mask::begin(const formats::SocketInfo& info) {
  if (info.origin == formats::Origin::listener) return;
  using formats::Origin;
  // A UNIX socket made by a target is described at its first use; a TCP one of unknown origin may be in mid-stream.
  if (info.type == formats::SocketType::datagram) {
    socket_of(info.socket).names = true;
    return;
  }
  const bool unix_begins = info.family == formats::Family::unix_domain && info.origin != Origin::existed;
  const bool begins = info.origin == Origin::connected || info.origin == Origin::accepted || unix_begins;
  if (!begins && info.origin != Origin::existed) return;
  if (sockets_.size() >= kMaxSockets) sockets_.clear();
  auto& socket = sockets_[info.socket];
  const std::uint32_t next[2] = {info.next_out, info.next_in};
  for (int way = 0; way < 2; way++) {
    State& state = socket.direction[way];
    if (state.used) continue;  // told again when established
    state = {};
    state.used = !begins;
    state.expected = next[way];
    state.mode = begins ? Mode::line_start : Mode::unknown;
  }
}

void Mask::begin(const formats::TlsStep& step) {
  if (step.step == formats::TlsStepKind::freed) return forget(step.session);
  if (step.step != formats::TlsStepKind::handshake) return;
  for (State& state : socket_of(step.session).direction) {
    if (!state.used) state.mode = Mode::line_start;
  }
}

void Mask::forget(std::uint64_t socket_or_session) { sockets_.erase(socket_or_session); }

Mask::Socket& Mask::socket_of(std::uint64_t id) {
  if (sockets_.size() >= kMaxSockets) sockets_.clear();
  return sockets_[id];
}

void Mask::copy() {
  if (copied_) return;
  copy_.assign(head_);
  copy_.append(tail_);
  copied_ = true;
}

void Mask::overwrite(std::size_t begin, std::size_t end) {
  copy();
  for (std::size_t i = begin; i < end; i++) {
    if (copy_[i] != '\r') copy_[i] = '*';
  }
}

void Mask::scan(State& state, std::string_view bytes, std::size_t base) {
  const char* const data = bytes.data();
  const std::size_t size = bytes.size();
  std::size_t at = 0;
  while (at < size) {
    switch (state.mode) {
      case Mode::value:
      case Mode::unknown:
      case Mode::secret: {
        const void* found = std::memchr(data + at, '\n', size - at);
        const std::size_t end = found ? static_cast<std::size_t>(static_cast<const char*>(found) - data) : size;
        const bool secret = state.mode != Mode::value;
        if (secret) overwrite(base + at, base + end);
        at = end;
        if (found) {
          at++;
          state.mode = Mode::line_start;
          state.continues = secret;
          state.length = 0;
        }
        break;
      }
      case Mode::line_start: {
        const char c = data[at];
        if (c == ' ' || c == '\t') {
          if (state.continues) {
            state.mode = Mode::secret;
            break;
          }
          at++;  // no header begins so, but a lenient parser may take it for one
          break;
        }
        if (c == '\n') {
          state.continues = false;
          at++;
          break;
        }
        state.candidates = kFirstLetters[static_cast<unsigned char>(c)];
        state.continues = false;
        state.length = 0;
        state.mode = state.candidates ? Mode::name : Mode::value;
        break;
      }
      case Mode::name: {
        const char c = lower(data[at]);
        if (c == ':' || c == ' ' || c == '\t') {
          std::uint8_t whole = 0;
          for (std::size_t i = 0; i < kSecrets.size(); i++) {
            if (state.candidates >> i & 1 && kSecrets[i].size() == state.length)
              whole = static_cast<std::uint8_t>(1u << i);
          }
          if (!whole) {
            state.mode = Mode::value;
          } else if (c == ':') {
            state.mode = Mode::secret;
            at++;
          } else {
            at++;  // blanks before the colon are wrong, and accepted by some
          }
          break;
        }
        std::uint8_t still = 0;
        for (std::size_t i = 0; i < kSecrets.size(); i++) {
          if (state.candidates >> i & 1 && state.length < kSecrets[i].size() && kSecrets[i][state.length] == c)
            still = static_cast<std::uint8_t>(still | 1u << i);
        }
        if (!still) {
          state.mode = Mode::value;
          break;
        }
        state.candidates = still;
        state.length++;
        at++;
        break;
      }
    }
  }
}

void Mask::apply(Io& io) {
  if (io.length > 0) apply_to(socket_of(io.socket), io);
}

void Mask::apply(formats::TlsIo& io) {
  if (io.length > 0) apply_to(socket_of(io.session), io);
}

template <class AnyIo>
void Mask::apply_to(Socket& socket, AnyIo& io) {
  if (socket.names) return;
  const auto way = static_cast<std::size_t>(io.direction);
  State& state = socket.direction[way];
  const bool continuous = state.expected == static_cast<std::uint32_t>(io.position);
  head_ = io.head;
  tail_ = io.tail;
  copied_ = false;
  assert(head_.size() + tail_.size() <= io.length);

  if (head_.starts_with(kPreface.substr(0, 16))) {
    socket.http2 = std::make_unique<Http2>();
    socket.http2->direction[way] = HeaderBlockMask(kPreface.size());
    if (socket.direction[1 - way].used) socket.http2->direction[1 - way].lose();
  } else if (begins_message(head_)) {
    socket.http1 = true;
    if (socket.guessed) socket.http2.reset();
    socket.guessed = false;
  } else if (!socket.http2 && !socket.http1 && state.mode == Mode::unknown && head_.starts_with('\0') &&
             HeaderBlockMask::frame_begins(head_)) {
    socket.http2 = std::make_unique<Http2>();
    socket.http2->direction[1 - way].lose();
    socket.guessed = true;
  }
  if (socket.http2 && !continuous && state.used) socket.http2->direction[way].lose();
  if (socket.http2) {
    apply_http2(socket.http2->direction[way], io);
  } else {
    if (!continuous) state.mode = Mode::unknown;
    if (state.mode == Mode::unknown && (begins_message(head_) || begins_frame(head_))) {
      state.mode = Mode::line_start;
      state.continues = false;
    }
    scan(state, head_, 0);
    if (head_.size() + tail_.size() < io.length) state.mode = Mode::unknown;  // bytes that were not seen come between
    scan(state, tail_, head_.size());
  }
  state.expected = static_cast<std::uint32_t>(io.position + io.length);
  state.used = true;
  if (copied_) {
    io.head = std::string_view(copy_).substr(0, io.head.size());
    io.tail = std::string_view(copy_).substr(head_.size(), io.tail.size());
  }
}

template <class AnyIo>
void Mask::apply_http2(HeaderBlockMask& mask, AnyIo& io) {
  edits_.clear();
  const auto withhold = [&](std::size_t head) {
    io.head = head_.substr(0, head);
    io.tail = {};
    if (head == 0) io.payload = formats::Payload::off;
  };
  if (mask.lost()) {
    if (!HeaderBlockMask::frame_begins(head_)) return withhold(0);
    mask.resume();
  }
  const std::size_t understood = mask.scan(head_, 0, edits_);
  if (mask.lost()) {
    withhold(understood);
  } else {
    mask.skip(io.length - head_.size() - tail_.size());
    if (!mask.lost()) mask.scan(tail_, head_.size(), edits_);
    if (mask.lost()) io.tail = {};
  }
  for (const auto [at, byte] : edits_) {
    copy();
    copy_[at] = byte;
  }
}

}  // namespace tailcap::capture
