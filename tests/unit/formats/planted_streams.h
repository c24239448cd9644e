// Makes both directions of a connection with planted credentials, and searches for them in what a gate leaves.
#pragma once

#include <random>
#include <set>
#include <string>
#include <vector>

#include "formats/event.h"
#include "ground/http/hpack_huffman.h"
#include "tests/unit/formats/planted_http2.h"

namespace tailcap::planted {

using formats::Direction;

enum class Wire { http1, http2, h2c, doubtful };

struct Trial {
  std::string leak;  // where a credential was found; empty: nowhere
  std::size_t planted = 0, kept = 0;
};

// The source of randomness: bytes chosen by the caller, then a generator.
struct Choices {
  std::vector<unsigned char> bytes;
  std::mt19937 random{1};
  std::size_t next = 0;
  std::uint32_t operator()() {
    if (next + 2 > bytes.size()) return random();
    next += 2;
    return static_cast<std::uint32_t>(bytes[next - 2] << 8 | bytes[next - 1]);
  }
};

class Planter {
 public:
  explicit Planter(const Choices& choices) : random(choices) {}

  std::uint32_t below(std::uint32_t n) { return random() % n; }
  // Never taken from the input: short or common strings would be found everywhere.
  std::string letters(std::size_t n, std::string_view from) {
    std::string out;
    for (; n > 0; n--) out.push_back(from[secrets() % from.size()]);
    return out;
  }
  // A credential is found if this many consecutive bytes of it are.
  std::string plant(std::size_t window = 8,
                    std::string_view from = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwyz123456789",
                    std::size_t size = 0) {
    std::string secret = letters(size > 0 ? size : 12 + below(20), from);
    for (std::size_t at = 0; at + window <= secret.size(); at++) windows.insert(secret.substr(at, window));
    planted++;
    return secret;
  }
  std::string path_token() { return plant(16, "0123456789abcdef", 40 + below(30)); }
  // The credential in Huffman code, as it follows `before` in a value.
  void plant_coded(const std::string& before, const std::string& secret) {
    std::string first, all;
    ground::hpack::huffman_encode(before, first);
    ground::hpack::huffman_encode(before + secret, all);
    for (std::size_t at = first.size(); at + 7 < all.size(); at++) windows.insert(all.substr(at, 6));
  }

  std::string header_name() {
    static constexpr const char* kNames[] = {"authorization", "cookie",  "x-auth-token", "private-token", "x-custom",
                                             "set-cookie",    "referer", "location",     "baggage"};
    return kNames[below(std::size(kNames))];
  }
  std::string target(bool coded) {
    std::string path = "/shop";
    if (below(4) == 0) path += "/" + path_token();
    if (below(2) == 0) {
      path += "?id=17&token=";
      const std::string secret = plant();
      if (coded) plant_coded(path, secret);
      path += secret;
      if (below(2) == 0) path += "&n=3";
    }
    return path;
  }

  Choices random;
  std::mt19937 secrets{7};
  std::set<std::string> windows;
  std::size_t planted = 0;
};

inline std::string http1_fields(Planter& p) {
  std::string out = "Host: example.com\r\nUser-Agent: test/1.0\r\n";
  for (auto n = p.below(4); n > 0; n--) {
    std::string name = p.header_name();
    if (p.below(3) == 0)
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
    out += name + (p.below(4) == 0 ? ":" : ": ") + (p.below(2) ? "Bearer " : "") + p.plant();
    if (p.below(8) == 0) out += "\r\n " + p.plant();
    out += p.below(10) == 0 ? "\n" : "\r\n";
  }
  return out;
}

inline std::string http1_body(Planter& p, bool response) {
  std::string body;
  for (auto n = p.below(4); n > 0; n--) {
    switch (p.below(4)) {
      case 0:
        body += "password=" + p.plant();
        break;
      case 1:
        body += "\r\nAuthorization: " + p.plant() + "\r\n\r\n";
        break;
      case 2:
        body += "{\"token\":\"" + p.plant() + "\"}\n";
        break;
      default:
        body += std::string(p.below(3000), 'b');
        break;
    }
  }
  switch (p.below(response ? 3 : 2)) {
    case 0:
      return "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    case 1: {
      std::string out = "Transfer-Encoding: chunked\r\n\r\n";
      for (std::size_t at = 0; at < body.size();) {
        const std::size_t n = std::min<std::size_t>(body.size() - at, 1 + p.below(200));
        char size[32];
        std::snprintf(size, sizeof size, "%zx", n);
        out += size + (p.below(3) == 0 ? ";e=" + p.plant() : "") + "\r\n" + body.substr(at, n) + "\r\n";
        at += n;
      }
      return out + "0\r\n" + (p.below(3) == 0 ? "X-Trailer: " + p.plant() + "\r\n" : "") + "\r\n";
    }
    default:
      return "Content-Length: 0\r\n\r\n";
  }
}

struct Streams {
  std::vector<std::string> asked, answered;  // by message
};

inline Streams http1_streams(Planter& p) {
  Streams s;
  for (auto n = 1 + p.below(5); n > 0; n--) {
    s.asked.push_back("POST " + p.target(false) + " HTTP/1.1\r\n" + http1_fields(p) + http1_body(p, false));
    s.answered.push_back("HTTP/1.1 200 OK\r\n" + http1_fields(p) + http1_body(p, true));
  }
  return s;
}

// A request whose end parsers are known to place differently, what its sender has put behind it in the form of a
// request, and what others send behind that.
inline Streams doubtful_streams(Planter& p) {
  static constexpr std::string_view kHeads[] = {"Content-Length: 5\r\nContent-Length: 5\r\n",
                                                "Content-Length: 5, 5\r\n",
                                                "Content-Length : 5\r\n",
                                                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                                "Transfer-Encoding: gzip, chunked\r\n",
                                                "Transfer-Encoding: chunked;q=1\r\n",
                                                "Transfer-Encoding:\r\n chunked\r\n",
                                                "Transfer_Encoding: chunked\r\n",
                                                "X: a\r\n Transfer-Encoding: chunked\r\n",
                                                "\x0bTransfer-Encoding: chunked\r\n",
                                                "X: a\rTransfer-Encoding: chunked\r\n",
                                                "X: a\n",
                                                "X: a\r\r\n"};
  static constexpr std::string_view kBodies[] = {"5\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "0\r\n\n",
                                                 "0\r\nContent-Length: 5\r\n\r\n"};
  Streams s;
  const auto add = [&](const std::string& asked) {
    s.asked.push_back(asked);
    s.answered.push_back("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  };
  for (auto n = p.below(3); n > 0; n--) add("GET " + p.target(false) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::uint32_t which = p.below(std::size(kHeads) + std::size(kBodies));
  const std::string start = "POST /a HTTP/1.1\r\nHost: a\r\n";
  add(which < std::size(kHeads)
          ? start + std::string(kHeads[which]) + "\r\n"
          : start + "Transfer-Encoding: chunked\r\n\r\n" + std::string(kBodies[which - std::size(kHeads)]));
  for (auto n = p.below(3); n > 0; n--)
    add("GET /" + p.plant() + " HTTP/1.1\r\nHost: " + p.plant() + "\r\nAccept: " + p.plant() + "\r\n\r\n");
  if (p.below(2) == 0) add("GET /a HTTP/1.1\r\nAccept: ");
  for (auto n = p.below(3); n > 0; n--)
    add("GET /" + p.plant() + "?token=" + p.plant() + " HTTP/1.1\r\nCookie: " + p.plant() + "\r\n\r\n");
  return s;
}

inline FieldList http2_fields(Planter& p, FieldList fields) {
  for (auto n = p.below(5); n > 0; n--) {
    const std::string before = p.below(2) ? "Bearer " : "", secret = p.plant();
    p.plant_coded(before, secret);
    fields.emplace_back(p.header_name(), before + secret);
  }
  return fields;
}

inline void http2_messages(Planter& p, Streams& s) {
  Deflater ask, answer;
  const auto message = [&](Deflater& deflate, std::uint32_t id, const FieldList& fields) {
    std::string out = headers(id, deflate(fields, p.below(5) == 0 ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE),
                              1 + p.below(300));
    for (auto n = p.below(3); n > 0; n--)
      out += frame(0, 0, id,
                   (p.below(2) ? std::string("\0\0\0\1\0", 5) : std::string()) + "secret=" + p.plant() +
                       std::string(p.below(500), 'b'));
    return out;
  };
  for (std::uint32_t i = 0; i < 1 + p.below(6); i++) {
    const char* const type = p.below(2) ? "application/grpc" : "text/plain";
    s.asked.push_back(message(
        ask, 2 * i + 3, http2_fields(p, {{":method", "POST"}, {":path", p.target(true)}, {"content-type", type}})));
    s.answered.push_back(message(answer, 2 * i + 3, http2_fields(p, {{":status", "200"}, {"content-type", type}})));
  }
}

inline Streams streams_of(Wire wire, Planter& p) {
  if (wire == Wire::http1) return http1_streams(p);
  if (wire == Wire::doubtful) return doubtful_streams(p);
  Streams s;
  if (wire == Wire::h2c) {
    s.asked.push_back("GET " + p.target(false) + " HTTP/1.1\r\n" + http1_fields(p) +
                      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
    s.answered.push_back("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + kSettings);
  }
  s.asked.push_back(kPreface + kSettings);
  s.answered.push_back(wire == Wire::h2c ? "" : kSettings);
  http2_messages(p, s);
  return s;
}

// make(late) returns what a connection passes (Passage of the gates' tests).
template <class Make>
Trial passed(Wire wire, const Choices& choices, Make make) {
  Planter p(choices);
  const Streams streams = streams_of(wire, p);
  // Each direction in pieces; a response is mostly not ahead of its request.
  struct Piece {
    Direction way;
    std::string bytes;
  };
  std::vector<Piece> pieces;
  const std::uint32_t cuts = p.below(4);
  const auto add = [&](Direction way, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t most = cuts == 0   ? bytes.size()
                               : cuts == 1 ? 1 + p.below(3)
                                           : 1 + p.below(cuts == 2 ? 40 : 600);
      const std::size_t n = std::min(bytes.size() - at, most);
      pieces.push_back({way, bytes.substr(at, n)});
      at += n;
    }
  };
  std::string ask, answer;
  for (std::size_t i = 0; i < streams.asked.size(); i++) {
    ask += streams.asked[i];
    answer += streams.answered[i];
    if (p.below(3) == 0 && i + 1 < streams.asked.size()) continue;  // pipelined
    add(Direction::in, ask);
    add(Direction::out, answer);
    ask.clear();
    answer.clear();
  }
  // Where bytes are missing, what has the form of a request is believed.
  const bool whole = wire == Wire::doubtful;
  const bool late = !whole && p.below(3) == 0;
  auto passage = make(late);
  const std::size_t skip = late && !pieces.empty() ? p.below(static_cast<std::uint32_t>(pieces.size())) : 0;
  const std::uint32_t drops = !whole && p.below(3) == 0 ? 10 : 0, blind = !whole && p.below(3) == 0 ? 4 : 0,
                      swaps = p.below(4) == 0 ? 5 : 0;
  for (std::size_t i = 0; swaps > 0 && i + 1 < pieces.size(); i++)
    if (pieces[i].way != pieces[i + 1].way && p.below(swaps) == 0) std::swap(pieces[i], pieces[i + 1]);
  Trial trial;
  trial.planted = p.planted;
  std::string left[2];
  for (std::size_t i = 0; i < pieces.size(); i++) {
    const auto& [way, bytes] = pieces[i];
    auto& text = left[static_cast<std::size_t>(way)];
    if (i < skip || (drops > 0 && p.below(drops) == 0)) {
      passage.lose(way, bytes.size());
      text += "\n(lost)\n";
      continue;
    }
    std::size_t head = bytes.size(), tail = 0;
    if (blind > 0 && p.below(blind) == 0) {
      head = p.below(static_cast<std::uint32_t>(bytes.size() + 1));
      tail = std::min<std::size_t>(16, bytes.size() - head);
    }
    const auto kept = passage.part(way, bytes, head, tail);
    trial.kept += kept.head.size() + kept.tail.size();
    text += kept.head;
    if (kept.head.size() < bytes.size())
      text += kept.tail.size() + kept.head.size() < bytes.size() ? "\n(unseen)\n" + kept.tail : kept.tail;
  }
  for (const std::string& window : p.windows)
    for (const std::string& text : left)
      if (const auto at = text.find(window); at != text.npos) trial.leak = text.substr(at > 60 ? at - 60 : 0, 140);
  return trial;
}

}  // namespace tailcap::planted
