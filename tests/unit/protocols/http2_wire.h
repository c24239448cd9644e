// HTTP/2 for tests: frames, header blocks, and a connection that reads them from runs of any shape.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/protocols/http2/connection.h"

namespace tailcap::protocols::http2 {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string number(std::uint32_t n, unsigned bytes) {
  std::string out;
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<char>(n >> (8 * i)));
  return out;
}

inline std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream, const std::string& payload) {
  std::string out = number(static_cast<std::uint32_t>(payload.size()), 3);
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  return out + number(stream, 4) + payload;
}

inline std::string integer(std::uint32_t n, unsigned prefix, std::uint8_t opcode) {
  const std::uint32_t most = (1u << prefix) - 1;
  if (n < most) return std::string(1, static_cast<char>(opcode | n));
  std::string out(1, static_cast<char>(opcode | most));
  for (n -= most; n >= 128; n >>= 7) out.push_back(static_cast<char>(n | 0x80));
  out.push_back(static_cast<char>(n));
  return out;
}

// The simplest encoder that uses the table: it adds every new field and refers to every old one by index. Nothing is
// evicted: tests keep it small.
class Encoder {
 public:
  std::string operator()(const Fields& fields) {
    std::string out;
    for (const auto& field : fields) {
      std::size_t i = 0;
      while (i < table_.size() && table_[table_.size() - 1 - i] != field) ++i;
      if (i < table_.size()) {
        out += integer(static_cast<std::uint32_t>(62 + i), 7, 0x80);
        continue;
      }
      if (field == std::pair<std::string, std::string>(":method", "GET"))
        out += '\x82';
      else if (field == std::pair<std::string, std::string>(":method", "POST"))
        out += '\x83';
      else if (field == std::pair<std::string, std::string>(":status", "200"))
        out += '\x88';
      else {
        table_.push_back(field);
        out += '\x40' + text(field.first) + text(field.second);
      }
    }
    return out;
  }
  static std::string text(const std::string& s) { return integer(static_cast<std::uint32_t>(s.size()), 7, 0) + s; }

 private:
  Fields table_;
};

inline std::string headers(std::uint32_t stream, const std::string& block,
                           std::uint8_t flags = kEndHeaders | kEndStream) {
  return frame(FrameType::headers, flags, stream, block);
}
inline std::string data(std::uint32_t stream, const std::string& payload, std::uint8_t flags = 0) {
  return frame(FrameType::data, flags, stream, payload);
}
inline std::string settings(const std::vector<std::pair<unsigned, std::uint32_t>>& values = {}) {
  std::string payload;
  for (const auto& [id, value] : values) payload += number(id, 2) + number(value, 4);
  return frame(FrameType::settings, 0, 0, payload);
}
inline std::string settings_ack() { return frame(FrameType::settings, kAck, 0, ""); }
inline std::string rst(std::uint32_t stream, std::uint32_t code) {
  return frame(FrameType::rst_stream, 0, stream, number(code, 4));
}
inline std::string goaway(std::uint32_t last, std::uint32_t code) {
  return frame(FrameType::goaway, 0, 0, number(last, 4) + number(code, 4));
}
inline std::string window_update(std::uint32_t stream, std::uint32_t n) {
  return frame(FrameType::window_update, 0, stream, number(n, 4));
}
inline std::string grpc_message(const std::string& bytes, bool compressed = false) {
  return std::string(1, compressed ? '\1' : '\0') + number(static_cast<std::uint32_t>(bytes.size()), 4) + bytes;
}
inline Fields get(const std::string& path) {
  return {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a.example"}};
}
inline Fields call(const std::string& path) {
  return {{":method", "POST"},
          {":scheme", "http"},
          {":path", path},
          {"content-type", "application/grpc"},
          {"te", "trailers"}};
}

inline constexpr model::Direction kIn = model::Direction::in, kOut = model::Direction::out;
inline model::Time at_ms(std::int64_t ms) { return formats::time_from(1'000'000'000 + ms * 1'000'000); }

// A message in one line.
inline std::string line(const model::Message& m) {
  const char* const kinds[] = {"request", "response", "interim", "opaque", "closed"};
  const char* const endings[] = {"", " truncated", " cut_off", " lost"};
  std::string out = kinds[static_cast<int>(m.kind)];
  out += " " + std::to_string(m.stream) + (m.direction == kIn ? " in" : " out");
  if (!m.method.empty()) out += " " + m.method + " " + m.target;
  if (m.status) out += " " + std::to_string(m.status);
  for (const auto* list : {&m.headers, &m.trailers}) {
    out += list == &m.headers ? " [" : " {";
    for (std::size_t i = 0; i < list->size(); ++i)
      out += std::string(i ? " " : "") + std::string((*list)[i].name) + "=" + std::string((*list)[i].value);
    out += list == &m.headers ? "]" : "}";
  }
  if (m.unknown_fields) out += " unknown:" + std::to_string(m.unknown_fields);
  out += m.body_bytes ? " body:" + std::to_string(*m.body_bytes) : " body:?";
  out += endings[static_cast<int>(m.ending)];
  if (m.reset)
    out += std::string(m.reset->goaway ? " goaway:" : " reset:") +
           (m.reset->code ? std::to_string(*m.reset->code) : "?") + (m.reset->by == kIn ? " by peer" : " by us") +
           (m.reset->unprocessed ? " unprocessed" : "");
  if (m.grpc) {
    out += " grpc:" + (m.grpc->status ? std::to_string(*m.grpc->status) : "?") + " '" + m.grpc->message +
           "' messages:" + std::to_string(m.grpc->messages) + "/" + std::to_string(m.grpc->bytes);
    if (m.grpc->compressed) out += " compressed:" + std::to_string(m.grpc->compressed);
    if (m.grpc->trailers_only) out += " trailers-only";
    if (!m.grpc->exact) out += " inexact";
    if (m.grpc->broken_off) out += " broken-off";
  }
  if (m.answers_unknown) out += " answers-unknown";
  return out;
}

// A connection recorded at its server: the client's bytes are inbound.
class Wire {
 public:
  explicit Wire(bool late = false, bool role_known = false)
      : connection(1, late && !role_known ? std::nullopt : std::optional(kIn), held), late_(late) {}

  // The first `head` and the last `tail` bytes are captured (as many as the recorder keeps of a call that it cuts).
  void push(model::Direction d, std::string_view bytes, std::int64_t ms = 0, std::size_t head = SIZE_MAX,
            std::size_t tail = 16) {
    model::ByteRun run = base(d, ms);
    run.length = bytes.size();
    run.head = bytes.substr(0, head);
    run.tail = bytes.substr(run.head.size());
    if (run.tail.size() > tail) run.tail.remove_prefix(run.tail.size() - tail);
    if (run.head.size() + run.tail.size() < bytes.size() || head != SIZE_MAX) run.payload = formats::Payload::captured;
    const model::ArrivalMark mark{run.offset + run.length, at_ms(ms - 1)};
    if (d == kIn) run.arrivals = std::span(&mark, 1);
    send(run);
  }
  void lose(model::Direction d, std::uint64_t n) { gap_[index(d)] += n; }
  void end(model::Direction d, model::End how, std::int64_t ms = 0) {
    model::ByteRun run = base(d, ms);
    run.end = how;
    send(run);
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& m : got) out.push_back(line(m));
    return out;
  }
  const model::Message* find(model::MessageKind kind, std::uint32_t stream) const {
    for (const auto& m : got)
      if (m.kind == kind && m.stream == stream) return &m;
    return nullptr;
  }

  Held held;
  Http2Connection connection;
  model::Findings findings;
  std::vector<model::Message> got;

 private:
  static std::size_t index(model::Direction d) { return static_cast<std::size_t>(d); }
  model::ByteRun base(model::Direction d, std::int64_t ms) {
    model::ByteRun run;
    run.connection = 1;
    run.direction = d;
    run.first_known = !late_;
    run.gap = std::exchange(gap_[index(d)], 0);
    run.offset = offset_[index(d)] + run.gap;
    run.done = at_ms(ms);
    run.thread = {100, 101};
    return run;
  }
  void send(const model::ByteRun& run) {
    offset_[index(run.direction)] = run.offset + run.length;
    out_.clear();
    connection.push(run, out_, findings);
    for (const auto& m : out_) got.push_back(m);
  }

  bool late_;
  std::uint64_t offset_[2] = {0, 0}, gap_[2] = {0, 0};
  Messages out_;
};

}  // namespace tailcap::protocols::http2
