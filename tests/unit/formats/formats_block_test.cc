// Block headers and checksums, byte by byte.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "formats/block.h"
#include "formats/crc32c.h"
#include "formats/file/reader.h"

namespace tailcap::formats {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(FormatsCrc, known_values_and_both_ways) {
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);  // RFC 3720, B.4, and the usual check value
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\xff'))), 0x62a8ab43u);
  std::mt19937_64 random(3);
  std::string text(300, ' ');
  for (char& c : text) c = static_cast<char>(random());
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto bytes = bytes_of(text).first(size);
    EXPECT_EQ(crc32c(bytes), crc32c_by_table(bytes));
    EXPECT_EQ(crc32c(bytes.subspan(size / 3), crc32c(bytes.first(size / 3))), crc32c(bytes));
  }
}

BlockHeader sample() {
  BlockHeader header;
  header.type = 1;
  header.flags = 2;
  header.stream = 0x0304;
  header.sequence = 0x05060708;
  header.stream_sequence = 0x090a0b0c;
  header.first = time_from(0x0102030405060708);
  header.last = time_from(0x1112131415161718);
  header.events = 0x21222324;
  header.lost = 0x31323334;
  header.stored_size = 0x01424344;
  header.raw_size = 0x01525354;
  header.payload_crc = 0x61626364;
  return header;
}

TEST(FormatsBlock, layout_is_what_format_md_says) {
  const auto frame = encode(sample());
  const unsigned char expected[] = {
      0x54, 0x2a, 0x4d, 0x18, 64,   0,    0,    0,     // skippable frame
      0x89, 'T',  'C',  'A',  'P',  '\r', '\n', 0x1a,  // sync
      64,   0,    1,    2,    0x04, 0x03, 1,    0,     // header size, type, flags, stream, version
      0x08, 0x07, 0x06, 0x05, 0x0c, 0x0b, 0x0a, 0x09,  // sequence in the stream
      0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,  // first
      0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,  // last
      0x24, 0x23, 0x22, 0x21, 0x34, 0x33, 0x32, 0x31,  // events, lost
      0x44, 0x43, 0x42, 0x01, 0x54, 0x53, 0x52, 0x01,  // stored, raw
      0x64, 0x63, 0x62, 0x61,                          // payload's checksum
  };
  ASSERT_EQ(frame.size(), sizeof expected + 4);
  EXPECT_EQ(std::memcmp(frame.data(), expected, sizeof expected), 0);
  EXPECT_EQ(decode_header(frame), sample());
}

TEST(FormatsBlock, every_flipped_bit_is_noticed) {
  const auto frame = encode(sample());
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    auto damaged = frame;
    damaged[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_FALSE(decode_header(damaged)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < frame.size(); ++size) EXPECT_FALSE(decode_header(std::span(frame).first(size)));
}

TEST(FormatsBlock, limits) {
  auto header = sample();
  header.raw_size = static_cast<std::uint32_t>(kMaxBlockRaw);
  EXPECT_TRUE(decode_header(encode(header)));
  ++header.raw_size;
  EXPECT_FALSE(decode_header(encode(header)));
  header = sample();
  header.stored_size = static_cast<std::uint32_t>(kMaxBlockStored + 1);
  EXPECT_FALSE(decode_header(encode(header)));
  header = sample();
  header.last = header.first - Duration{1};
  EXPECT_FALSE(decode_header(encode(header)));
  header.first = time_from(-1);
  EXPECT_FALSE(decode_header(encode(header)));
  header.first = header.last = kMaxTime + Duration{1};
  EXPECT_FALSE(decode_header(encode(header)));
}

// A later version may make headers longer: the checksum covers the whole header, and new fields are ignored.
TEST(FormatsBlock, longer_headers_of_later_versions) {
  const auto frame = encode(sample());
  std::vector<std::byte> longer(frame.begin(), frame.end());
  longer.resize(longer.size() + 40, std::byte{0x5a});
  longer[4] = longer[16] = std::byte{104};
  std::vector<std::byte> content(longer.begin() + 8, longer.end());
  std::fill_n(content.begin() + 60, 4, std::byte{0});
  const auto crc = crc32c(content);
  for (int i = 0; i < 4; ++i) longer[68 + static_cast<std::size_t>(i)] = static_cast<std::byte>(crc >> (8 * i));
  const auto header = decode_header(longer);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->sequence, sample().sequence);
  EXPECT_EQ(header->block_size(), 8u + 104u + header->stored_size);
  EXPECT_FALSE(decode_header(std::span(longer).first(longer.size() - 1)));
}

TEST(FormatsBlock, found_among_false_signatures) {
  const auto frame = encode(sample());
  const std::string text(reinterpret_cast<const char*>(frame.data()), frame.size());
  for (const std::size_t before : {0u, 1u, 71u, 72u, 1000u}) {
    std::string bytes = std::string(before, 'x') + text.substr(0, 40) + text + "tail";
    EXPECT_EQ(find_header(bytes_of(bytes)), before + 40);
  }
  EXPECT_EQ(find_header(bytes_of(text.substr(1))), text.size() - 1);
  EXPECT_EQ(find_header({}), 0u);
}

}  // namespace
}  // namespace tailcap::formats
