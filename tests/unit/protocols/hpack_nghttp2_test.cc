// Our HPACK decoder against nghttp2: its deflater makes the blocks, its inflater is the reference.
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analyze/protocols/hpack/decoder.h"

namespace tailcap::protocols::hpack {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Deflater {
  explicit Deflater(std::size_t most) { nghttp2_hd_deflate_new(&state, most); }
  ~Deflater() { nghttp2_hd_deflate_del(state); }
  std::string operator()(const Pairs& pairs, std::mt19937& random) {
    std::vector<nghttp2_nv> fields;
    for (const auto& [name, value] : pairs)
      fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                        static_cast<std::uint8_t>(random() % 8 ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX)});
    std::string out(nghttp2_hd_deflate_bound(state, fields.data(), fields.size()), '\0');
    const auto n = nghttp2_hd_deflate_hd(state, reinterpret_cast<std::uint8_t*>(out.data()), out.size(), fields.data(),
                                         fields.size());
    EXPECT_GE(n, 0);
    out.resize(static_cast<std::size_t>(n));
    return out;
  }
  nghttp2_hd_deflater* state = nullptr;
};

struct Inflater {
  Inflater() { nghttp2_hd_inflate_new(&state); }
  ~Inflater() { nghttp2_hd_inflate_del(state); }
  bool operator()(std::string_view block, Pairs& out) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    out.clear();
    for (;;) {
      nghttp2_nv nv;
      int flags = 0;
      const auto n = nghttp2_hd_inflate_hd2(state, &nv, &flags, in, left, 1);
      if (n < 0) return false;
      in += n;
      left -= static_cast<std::size_t>(n);
      if (flags & NGHTTP2_HD_INFLATE_EMIT)
        out.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                         std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
      if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
    }
    nghttp2_hd_inflate_end_headers(state);
    return true;
  }
  nghttp2_hd_inflater* state = nullptr;
};

Pairs random_fields(std::mt19937& random) {
  static const char* const names[] = {":method",       ":path",
                                      ":status",       ":authority",
                                      "content-type",  "cookie",
                                      "x-a",           "x-b",
                                      "grpc-status",   "date",
                                      "etag",          "user-agent",
                                      "authorization", "a-rather-long-name-of-a-field"};
  static const char* const values[] = {"", "GET", "POST", "/", "200", "404", "application/grpc", "application/json",
                                       "0"};
  Pairs out;
  for (auto n = random() % 12; n > 0; --n) {
    std::string name = names[random() % std::size(names)], value;
    if (random() % 3 == 0) name += std::to_string(random() % 40);
    if (random() % 2) {
      value = values[random() % std::size(values)];
    } else {
      const auto length = random() % 20 == 0 ? random() % 6000 : random() % 60;
      const bool binary = random() % 4 == 0;
      for (std::size_t i = 0; i < length; ++i)
        value.push_back(static_cast<char>(binary ? random() % 256 : 'a' + random() % 26));
    }
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

void compare(std::uint32_t seed, std::size_t most) {
  std::mt19937 random(seed);
  Deflater deflate(most);
  Inflater inflate;
  Decoder decoder;
  FieldList fields;
  Pairs oracle;
  if (most > 4096) nghttp2_hd_inflate_change_table_size(inflate.state, most);
  for (int block = 0; block < 200; ++block) {
    if (random() % 10 == 0) {  // the peer's SETTINGS_HEADER_TABLE_SIZE, sometimes twice in a row
      for (auto n = 1 + random() % 2; n > 0; --n) {
        const std::size_t size = random() % 3 == 0 ? 0 : random() % (most + 1);
        nghttp2_hd_inflate_change_table_size(inflate.state, size);
        nghttp2_hd_deflate_change_table_size(deflate.state, size);
      }
    }
    const Pairs sent = random_fields(random);
    const std::string bytes = deflate(sent, random);
    ASSERT_TRUE(inflate(bytes, oracle));
    ASSERT_EQ(oracle, sent);
    HeaderBlock b;
    b.append(bytes);
    ASSERT_EQ(decoder.decode(b, fields), Step::done) << "seed " << seed << " block " << block;
    ASSERT_EQ(fields.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      ASSERT_TRUE(fields[i].known());
      ASSERT_EQ(fields[i].name, sent[i].first);
      ASSERT_EQ(fields[i].value, sent[i].second);
    }
    ASSERT_EQ(decoder.table().size(), nghttp2_hd_inflate_get_dynamic_table_size(inflate.state));
    ASSERT_EQ(decoder.table().entries() + 61, nghttp2_hd_inflate_get_num_table_entries(inflate.state));
    ASSERT_TRUE(decoder.table().certain());
  }
}

TEST(HpackNghttp2, SameFieldsAndTables) {
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    compare(seed, seed % 3 == 0 ? 65536 : seed % 3 == 1 ? 4096 : 256);
    if (HasFatalFailure()) return;
  }
}

// Sometimes a block or its end is lost: every known field must be right.
TEST(HpackNghttp2, NeverWrongAfterLoss) {
  std::uint64_t known = 0, unknown = 0;
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    std::mt19937 random(seed);
    Deflater deflate(4096);
    Decoder decoder;
    FieldList fields;
    for (int block = 0; block < 200; ++block) {
      if (random() % 10 == 0) nghttp2_hd_deflate_change_table_size(deflate.state, random() % 3 ? random() % 4097 : 0);
      const Pairs sent = random_fields(random);
      const std::string bytes = deflate(sent, random);
      HeaderBlock b;
      switch (random() % 80) {
        case 0:
          decoder.lose();
          continue;
        case 1: {  // a gap anywhere
          const std::size_t at = bytes.empty() ? 0 : random() % bytes.size();
          const std::size_t n = bytes.empty() ? 0 : random() % (bytes.size() - at);
          b.append(std::string_view(bytes).substr(0, at));
          b.append_unknown(n);
          b.append(std::string_view(bytes).substr(at + n));
          break;
        }
        case 2:
          b.append(std::string_view(bytes).substr(0, bytes.empty() ? 0 : random() % bytes.size()));
          b.cut_here();
          break;
        default:
          b.append(bytes);
      }
      const Step step = decoder.decode(b, fields);
      ASSERT_NE(step, Step::invalid) << "seed " << seed << " block " << block;
      if (step == Step::done) {
        ASSERT_EQ(fields.size(), sent.size());
      }
      ASSERT_LE(fields.size(), sent.size());
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].name_known) {
          ASSERT_EQ(fields[i].name, sent[i].first) << "seed " << seed << " block " << block;
        }
        if (fields[i].value_known) {
          ASSERT_EQ(fields[i].value, sent[i].second) << "seed " << seed << " block " << block;
        }
        ++(fields[i].known() ? known : unknown);
      }
    }
  }
  EXPECT_GT(unknown, 1000u);
  EXPECT_GT(known, unknown);
}

}  // namespace
}  // namespace tailcap::protocols::hpack
