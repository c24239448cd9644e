// HTTP/2 written and read by nghttp2.
#pragma once

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailcap::planted {

using FieldList = std::vector<std::pair<std::string, std::string>>;

inline const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline const std::string kSettings("\0\0\0\4\0\0\0\0\0", 9);

class Deflater {
 public:
  explicit Deflater(std::size_t table = 4096) { nghttp2_hd_deflate_new(&state_, table); }
  ~Deflater() { nghttp2_hd_deflate_del(state_); }
  std::string operator()(const FieldList& fields, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
    std::vector<nghttp2_nv> all;
    for (const auto& [name, value] : fields)
      all.push_back({bytes(name), bytes(value), name.size(), value.size(), flags});
    std::string out(nghttp2_hd_deflate_bound(state_, all.data(), all.size()), '\0');
    const auto n = nghttp2_hd_deflate_hd(state_, bytes(out), out.size(), all.data(), all.size());
    EXPECT_GE(n, 0);
    out.resize(static_cast<std::size_t>(n));
    return out;
  }

 private:
  static std::uint8_t* bytes(const std::string& s) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(s.data()));
  }
  nghttp2_hd_deflater* state_ = nullptr;
};

class Inflater {
 public:
  Inflater() { nghttp2_hd_inflate_new(&state_); }
  ~Inflater() { nghttp2_hd_inflate_del(state_); }
  FieldList operator()(std::string_view block) {
    FieldList out;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
      nghttp2_nv nv;
      flags = 0;
      const auto n = nghttp2_hd_inflate_hd2(state_, &nv, &flags, in, left, 1);
      if (n < 0) {
        ADD_FAILURE() << "the masked block is no header block: " << nghttp2_strerror(static_cast<int>(n));
        return out;
      }
      in += n;
      left -= static_cast<std::size_t>(n);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
        out.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                         std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
    }
    nghttp2_hd_inflate_end_headers(state_);
    return out;
  }

 private:
  nghttp2_hd_inflater* state_ = nullptr;
};

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, const std::string& payload) {
  const auto n = payload.size();
  std::string out = {static_cast<char>(n >> 16),      static_cast<char>(n >> 8),      static_cast<char>(n),
                     static_cast<char>(type),         static_cast<char>(flags),       static_cast<char>(stream >> 24),
                     static_cast<char>(stream >> 16), static_cast<char>(stream >> 8), static_cast<char>(stream)};
  return out + payload;
}

// Padded HEADERS with priority; the block continues in CONTINUATION frames of `piece` bytes.
inline std::string headers(std::uint32_t stream, const std::string& block, std::size_t piece) {
  const std::size_t first = std::min(piece, block.size());
  std::string out =
      frame(1, static_cast<std::uint8_t>(0x8 | 0x20 | (first == block.size() ? 0x4 : 0)), stream,
            std::string("\3", 1) + std::string("\0\0\0\0\7", 5) + block.substr(0, first) + std::string(3, '\0'));
  for (std::size_t at = first; at < block.size(); at += piece)
    out += frame(9, at + piece >= block.size() ? 0x4 : 0, stream, block.substr(at, piece));
  return out;
}

// The header blocks of the stream, with CONTINUATION joined.
inline std::vector<std::string> blocks_of(std::string_view bytes) {
  std::vector<std::string> all;
  for (std::size_t at = kPreface.size(); at + 9 <= bytes.size();) {
    const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[at + i])}; };
    const std::size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
    const std::string_view payload = bytes.substr(at + 9, length);
    if (byte(3) == 1) all.emplace_back(payload.substr(6, length - 9));
    if (byte(3) == 9) all.back() += payload;
    at += 9 + length;
  }
  return all;
}

}  // namespace tailcap::planted
