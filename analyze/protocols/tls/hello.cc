#include "analyze/protocols/tls/hello.h"

#include <algorithm>

namespace tailcap::protocols::tls {
namespace {

constexpr std::size_t kMaxNames = 1024;  // bytes of ALPN names that are kept

// Takes from the front; after the first read beyond the end everything is empty and ok() false.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  bool ok() const { return ok_; }
  bool empty() const { return left_.empty(); }
  std::uint32_t number(std::size_t bytes) {
    const std::string_view taken = take(bytes);
    std::uint32_t n = 0;
    for (const char c : taken) n = n << 8 | static_cast<unsigned char>(c);
    return n;
  }
  std::string_view take(std::size_t n) {
    if (n > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view taken = left_.substr(0, n);
    left_.remove_prefix(n);
    return taken;
  }
  // What a length of `length_bytes` bytes announces.
  std::string_view vector(std::size_t length_bytes) {
    const std::uint32_t n = number(length_bytes);
    return take(n);
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

// RFC 8701: values that mean nothing and keep others from relying on a list.
bool grease(std::uint32_t v) { return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff); }

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string names(std::string_view list) {
  std::string out;
  Bytes in(list);
  while (!in.empty() && out.size() < kMaxNames) {
    const std::string_view name = in.vector(1);
    if (!in.ok()) break;
    if (name.empty() || !printable(name)) continue;
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

void client_extension(std::uint32_t type, std::string_view data, ClientHello& out) {
  Bytes in(data);
  switch (type) {
    case 0: {  // server_name: the one host_name there may be
      Bytes list(in.vector(2));
      while (!list.empty() && list.ok()) {
        const std::uint32_t kind = list.number(1);
        const std::string_view name = list.vector(2);
        if (!list.ok() || kind != 0) continue;
        if (printable(name)) out.server_name = name.substr(0, 255);
        break;
      }
      break;
    }
    case 16:
      out.alpn = names(in.vector(2));
      break;
    case 35:
      out.session_ticket = !data.empty();
      break;
    case 41:
      out.pre_shared_key = true;
      break;
    case 42:
      out.early_data = true;
      break;
    case 43: {
      Bytes list(in.vector(1));
      std::uint32_t highest = 0;
      while (!list.empty()) {
        const std::uint32_t v = list.number(2);
        if (list.ok() && !grease(v)) highest = std::max(highest, v);
      }
      if (highest != 0) out.highest_version = static_cast<std::uint16_t>(highest);
      break;
    }
    default:
      break;
  }
}

void server_extension(std::uint32_t type, std::string_view data, ServerHello& out, std::uint16_t& selected) {
  Bytes in(data);
  switch (type) {
    case 16:
      out.alpn = names(in.vector(2));
      break;
    case 41:
      out.pre_shared_key = true;
      break;
    case 43:
      selected = static_cast<std::uint16_t>(in.number(2));
      break;
    default:
      break;
  }
}

// Calls of(type, data) for each extension that is there to its end. False: the bytes ended early.
template <typename Of>
bool each_extension(Bytes& in, Of of) {
  if (in.empty()) return in.ok();  // no extensions at all
  std::uint32_t left = in.number(2);
  while (in.ok() && left >= 4) {
    const std::uint32_t type = in.number(2), length = in.number(2);
    const std::string_view data = in.take(length);
    if (!in.ok()) return false;
    of(type, data);
    if (length + 4 > left) return false;
    left -= length + 4;
  }
  return in.ok() && left == 0;
}

}  // namespace

ClientHello parse_client_hello(std::string_view body) {
  ClientHello out;
  Bytes in(body);
  out.legacy_version = out.highest_version = static_cast<std::uint16_t>(in.number(2));
  in.take(32);
  out.session_id = in.vector(1);
  in.vector(2);  // cipher suites
  in.vector(1);  // compression methods
  if (!in.ok()) return out;
  out.whole = each_extension(in, [&](std::uint32_t type, std::string_view data) { client_extension(type, data, out); });
  return out;
}

ServerHello parse_server_hello(std::string_view body) {
  // RFC 8446, 4.1.3: the SHA-256 of "HelloRetryRequest".
  static constexpr std::string_view kRetry =
      "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2"
      "\xc8\xa8\x33\x9c";
  ServerHello out;
  Bytes in(body);
  const auto legacy = static_cast<std::uint16_t>(in.number(2));
  const std::string_view random = in.take(32);
  out.session_id = in.vector(1);
  const auto cipher = static_cast<std::uint16_t>(in.number(2));
  in.number(1);
  if (!in.ok()) return out;
  out.cipher = cipher;
  out.retry = random == kRetry;
  std::uint16_t selected = 0;
  out.whole = each_extension(
      in, [&](std::uint32_t type, std::string_view data) { server_extension(type, data, out, selected); });
  // Without the whole list of extensions 0x0303 may still be TLS 1.3.
  if (selected != 0)
    out.version = selected;
  else if (out.whole || legacy < 0x0303)
    out.version = legacy;
  return out;
}

}  // namespace tailcap::protocols::tls
