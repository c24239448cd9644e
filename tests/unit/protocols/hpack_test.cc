// HPACK: the examples of RFC 7541, appendix C; eviction, sizes, limits; and the known entries after a loss.
#include <gtest/gtest.h>

#include "analyze/protocols/hpack/decoder.h"
#include "ground/http/hpack_huffman.h"
#include "ground/http/hpack_static_table.h"

namespace tailcap::protocols::hpack {
namespace {

using ground::hpack::huffman_decode;
using ground::hpack::huffman_encode;

std::string from_hex(std::string_view hex) {
  std::string out;
  int half = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (half < 0) {
      half = digit;
    } else {
      out.push_back(static_cast<char>(half << 4 | digit));
      half = -1;
    }
  }
  return out;
}

HeaderBlock block_of(std::string_view bytes) {
  HeaderBlock block;
  block.append(bytes);
  return block;
}

std::string text_of(const FieldList& fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const HeaderField f = fields[i];
    out.append(f.name_known ? std::string(f.name) : "?").append("=");
    out.append(f.value_known ? std::string(f.value) : "?").append(f.never_indexed ? "!;" : ";");
  }
  return out;
}

// Step and fields of a block as text.
std::string decode(Decoder& decoder, const HeaderBlock& block) {
  FieldList fields;
  const Step step = decoder.decode(block, fields);
  return (step == Step::done ? "" : step == Step::cut ? "cut " : "invalid ") + text_of(fields);
}
std::string decode(Decoder& decoder, std::string_view hex) { return decode(decoder, block_of(from_hex(hex))); }

std::string literal(std::string_view name, std::string_view value, char opcode = 0x40) {
  std::string out(1, opcode);
  for (const auto text : {name, value}) out.append(1, static_cast<char>(text.size())).append(text);
  return out;
}

TEST(Hpack, C1Integers) {  // visible in string lengths and indexes: 1337 in five bits is 1f 9a 0a
  Decoder decoder;
  EXPECT_EQ(decode(decoder, "3f9a0a"), "");                        // table size 1337
  EXPECT_EQ(decode(decoder, "2a"), "");                            // table size 10
  EXPECT_EQ(decode(decoder, "3fffffffff0f 82"), "invalid ");       // 2^32 and more
  EXPECT_EQ(decode(decoder, "3f808080808080808000"), "invalid ");  // padded without end
}

TEST(Hpack, C2SingleFields) {
  Decoder decoder;
  EXPECT_EQ(decode(decoder, "400a 637573746f6d2d6b6579 0d 637573746f6d2d686561646572"), "custom-key=custom-header;");
  EXPECT_EQ(decoder.table().size(), 55u);
  EXPECT_EQ(decode(decoder, "040c 2f73616d706c652f70617468"), ":path=/sample/path;");
  EXPECT_EQ(decode(decoder, "1008 70617373776f7264 06 736563726574"), "password=secret!;");
  EXPECT_EQ(decode(decoder, "82"), ":method=GET;");
  EXPECT_EQ(decoder.table().entries(), 1u);
}

TEST(Hpack, C3RequestsWithoutHuffman) {
  Decoder decoder;
  EXPECT_EQ(decode(decoder, "828684410f7777772e6578616d706c652e636f6d"),
            ":method=GET;:scheme=http;:path=/;:authority=www.example.com;");
  EXPECT_EQ(decode(decoder, "828684be58086e6f2d6361636865"),
            ":method=GET;:scheme=http;:path=/;:authority=www.example.com;cache-control=no-cache;");
  EXPECT_EQ(decode(decoder, "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565"),
            ":method=GET;:scheme=https;:path=/index.html;:authority=www.example.com;custom-key=custom-value;");
  EXPECT_EQ(decoder.table().size(), 164u);
}

TEST(Hpack, C4RequestsWithHuffman) {
  Decoder decoder;
  EXPECT_EQ(decode(decoder, "828684418cf1e3c2e5f23a6ba0ab90f4ff"),
            ":method=GET;:scheme=http;:path=/;:authority=www.example.com;");
  EXPECT_EQ(decode(decoder, "828684be5886a8eb10649cbf"),
            ":method=GET;:scheme=http;:path=/;:authority=www.example.com;cache-control=no-cache;");
  EXPECT_EQ(decode(decoder, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"),
            ":method=GET;:scheme=https;:path=/index.html;:authority=www.example.com;custom-key=custom-value;");
  EXPECT_EQ(decoder.table().size(), 164u);
}

constexpr std::string_view kC5First =
    "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777"
    "772e6578616d706c652e636f6d";
constexpr std::string_view kC5Third =
    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a58"
    "4f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31";
constexpr std::string_view kC6First =
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3";
constexpr std::string_view kC6Third =
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672"
    "c1ab270fb5291f9587316065c003ed4ee5b1063d5007";

void responses(std::string_view first, std::string_view second, std::string_view third) {
  Decoder decoder;  // with a table of 256 bytes, so that entries are evicted
  EXPECT_EQ(decode(decoder, "3fe101" + std::string(first)),
            ":status=302;cache-control=private;date=Mon, 21 Oct 2013 20:13:21 GMT;location=https://www.example.com;");
  EXPECT_EQ(decoder.table().size(), 222u);
  EXPECT_EQ(decode(decoder, second),
            ":status=307;cache-control=private;date=Mon, 21 Oct 2013 20:13:21 GMT;location=https://www.example.com;");
  EXPECT_EQ(decoder.table().size(), 222u);
  EXPECT_EQ(decode(decoder, third),
            ":status=200;cache-control=private;date=Mon, 21 Oct 2013 20:13:22 GMT;location=https://www.example.com;"
            "content-encoding=gzip;set-cookie=foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1;");
  EXPECT_EQ(decoder.table().size(), 215u);
  EXPECT_EQ(decoder.table().entries(), 3u);
  EXPECT_EQ(decode(decoder, "c1"), "invalid ");  // there is no fourth entry
}
TEST(Hpack, C5ResponsesWithoutHuffman) { responses(kC5First, "4803333037c1c0bf", kC5Third); }
TEST(Hpack, C6ResponsesWithHuffman) { responses(kC6First, "4883640effc1c0bf", kC6Third); }

TEST(Hpack, HuffmanCodesEverySymbol) {
  std::string text;
  for (int round = 0; round < 3; ++round)
    for (int c = 0; c < 256; ++c) text.push_back(static_cast<char>(round == 1 ? 255 - c : c));
  std::string coded, back;
  huffman_encode(text, coded);
  ASSERT_TRUE(huffman_decode(coded, back, 1000));
  EXPECT_EQ(back, text);
  for (std::size_t cut = 1; cut < 400; cut += 7) {
    back.clear();
    huffman_decode(std::string_view(coded).substr(0, cut), back, 1000);
    EXPECT_EQ(back, text.substr(0, back.size())) << cut;
  }
}

TEST(Hpack, HuffmanRefusesBadPadding) {
  std::string out;
  EXPECT_TRUE(huffman_decode("", out, 9));
  EXPECT_TRUE(huffman_decode(from_hex("07"), out, 9));   // '0' and three ones
  EXPECT_FALSE(huffman_decode(from_hex("00"), out, 9));  // '0' and three zeros
  EXPECT_FALSE(huffman_decode(from_hex("ff"), out, 9));  // eight bits of padding
  EXPECT_FALSE(huffman_decode(from_hex("07ff"), out, 9));
  EXPECT_FALSE(huffman_decode(from_hex("3fffffff"), out, 99));  // EOS itself
  EXPECT_FALSE(huffman_decode(from_hex("ffffffff"), out, 99));
  out.clear();
  EXPECT_TRUE(huffman_decode(from_hex("18c7"), out, 3) && out == "aaa") << out;
  out.clear();
  EXPECT_FALSE(huffman_decode(from_hex("18c7"), out, 2));
}

TEST(Hpack, TableSizeToZeroAndBack) {
  Decoder decoder;
  EXPECT_EQ(decode(decoder, block_of(literal("a", "1") + literal("b", "2"))), "a=1;b=2;");
  EXPECT_EQ(decode(decoder, "20 3fe11f 82"), ":method=GET;");  // to 0, then to 4096
  EXPECT_EQ(decoder.table().entries(), 0u);
  EXPECT_EQ(decode(decoder, "be"), "invalid ");
}

TEST(Hpack, SizeUpdatesOnlyAtTheBeginning) {
  Decoder one, two;
  EXPECT_EQ(decode(one, "20 20 3fe11f 82"), ":method=GET;");
  EXPECT_EQ(decode(two, "82 20"), "invalid :method=GET;");
}

TEST(Hpack, EntryLargerThanTheTableEmptiesIt) {
  Decoder decoder;
  EXPECT_EQ(decode(decoder, block_of(literal("a", "1"))), "a=1;");
  EXPECT_EQ(decode(decoder, block_of(from_hex("3f29") + literal("a", std::string(42, 'x')))),
            "a=" + std::string(42, 'x') + ";");  // size 72, entry 75
  EXPECT_EQ(decoder.table().entries(), 0u);
  EXPECT_EQ(decode(decoder, block_of(literal("a", std::string(39, 'x')))), "a=" + std::string(39, 'x') + ";");
  EXPECT_EQ(decoder.table().entries(), 1u);
}

TEST(Hpack, NameOfAnEntryThatItsOwnInsertionEvicts) {
  Decoder decoder;
  decode(decoder, block_of(from_hex("3f09") + literal("name", "v")));  // size 40: one entry fits
  EXPECT_EQ(decode(decoder, "7e 01 77"), "name=w;");
  EXPECT_EQ(decode(decoder, "be"), "name=w;");
}

TEST(Hpack, LateStartKnowsWhatCameSince) {
  Decoder decoder;
  decoder.lose();
  EXPECT_EQ(decode(decoder, "82 be"), ":method=GET;?=?;");
  EXPECT_EQ(decode(decoder, block_of(literal("a", "1"))), "a=1;");
  EXPECT_EQ(decode(decoder, "be bf"), "a=1;?=?;");
  EXPECT_EQ(decode(decoder, "7f00 01 32"), "?=2;");  // literal whose name is an unknown entry (index 63)
  EXPECT_EQ(decode(decoder, "be bf c0"), "?=2;a=1;?=?;");
}

TEST(Hpack, LateStartIndexIsRightWhateverWasEvicted) {
  Decoder decoder;
  decoder.lose();
  // The table may have held 0 bytes or 2^32: the second newest insertion has index 63 if it still exists.
  decode(decoder, block_of(literal("a", "1") + literal("b", std::string(100, 'x')) + literal("c", "3")));
  EXPECT_EQ(decode(decoder, "be"), "c=3;");
  EXPECT_EQ(decode(decoder, "c0"), "a=1;");
}

TEST(Hpack, CertainAgainWhenWhatIsUnknownMustBeGone) {
  Decoder decoder;
  decoder.lose();
  decode(decoder, "3f21");  // 64 bytes: one entry of 34 fits
  EXPECT_FALSE(decoder.table().certain());
  decode(decoder, block_of(literal("a", "1")));
  EXPECT_FALSE(decoder.table().certain());
  decode(decoder, block_of(literal("b", "2")));
  EXPECT_TRUE(decoder.table().certain());
  EXPECT_EQ(decode(decoder, "be"), "b=2;");
  EXPECT_EQ(decode(decoder, "bf"), "invalid ");
  decoder.lose();
  decode(decoder, "20");
  EXPECT_TRUE(decoder.table().certain());
}

TEST(Hpack, UncapturedValueIsUnknownAndWhatFollowsIsNot) {
  Decoder decoder;
  HeaderBlock block;
  block.append(literal("a", "1") + std::string("\x40\x06"
                                               "cookie"
                                               "\x0a",
                                               9));
  block.append("0123");
  block.append_unknown(6);
  block.append(literal("b", "2"));
  EXPECT_EQ(decode(decoder, block), "a=1;cookie=?;b=2;");
  EXPECT_EQ(decode(decoder, "be bf c0"), "b=2;cookie=?;a=1;");
  EXPECT_FALSE(decoder.table().certain());  // it is not known which entries the cookie evicted
}

TEST(Hpack, UncapturedStructureLosesTheRest) {
  Decoder decoder;
  decode(decoder, block_of(literal("a", "1")));
  HeaderBlock block;
  block.append(from_hex("82 be"));
  block.append_unknown(2);
  block.append(from_hex("84"));
  EXPECT_EQ(decode(decoder, block), "cut :method=GET;a=1;");
  EXPECT_EQ(decode(decoder, "be"), "?=?;");
  EXPECT_EQ(decode(decoder, block_of(literal("b", "2"))), "b=2;");
  EXPECT_EQ(decode(decoder, "be bf"), "b=2;?=?;");
}

TEST(Hpack, CutBlockIsNotInvalid) {
  const std::string whole = from_hex("828684") + literal("a", "12345");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    Decoder decoder;
    HeaderBlock block;
    block.append(std::string_view(whole).substr(0, n));
    block.cut_here();
    EXPECT_EQ(decode(decoder, block).substr(0, 4), "cut ") << n;
    EXPECT_FALSE(decoder.table().certain());
  }
}

TEST(Hpack, EntriesAreNamedForLater) {
  Decoder decoder;
  FieldList fields;
  decoder.decode(block_of(literal("a", "1") + literal("b", "2") + from_hex("bf")), fields);
  EXPECT_EQ(fields[0].entry, (EntryId{0, 1}));
  EXPECT_EQ(fields[1].entry, (EntryId{0, 2}));
  EXPECT_EQ(fields[2].entry, (EntryId{0, 1}));
  decoder.lose();
  decoder.decode(block_of(literal("c", "3") + from_hex("bebfc0")), fields);
  EXPECT_EQ(fields[1].entry, (EntryId{1, 1}));
  EXPECT_EQ(fields[2].entry, (EntryId{1, 0}));
  EXPECT_EQ(fields[3].entry, (EntryId{1, -1}));
}

TEST(Hpack, BombIsCountedAndNotKept) {
  Decoder decoder;
  decode(decoder, block_of(from_hex("4001 61 7fa11e") + std::string(4000, 'x')));
  ASSERT_EQ(decoder.table().entries(), 1u);
  FieldList fields;
  EXPECT_EQ(decoder.decode(block_of(std::string(60'000, '\xbe')), fields), Step::done);
  EXPECT_LE(fields.size() * 4000, FieldList::kMaxText);
  EXPECT_EQ(fields.size() + fields.dropped(), 60'000u);
}

TEST(Hpack, MemoryOfOneTableIsBounded) {
  Decoder decoder;
  EXPECT_EQ(decode(decoder, "3fe1ffffff03"), "");  // an encoder that may use 1 GiB
  const std::string value(10'000, 'x');
  for (int i = 0; i < 100; ++i) decode(decoder, block_of(from_hex("4001 61 7f914d") + value));
  EXPECT_LE(decoder.table().size(), DynamicTable::kMaxStored);
  FieldList fields;
  EXPECT_EQ(decoder.decode(block_of(from_hex("be ff10")), fields), Step::done);  // newest; the 82nd newest
  EXPECT_EQ(fields[0].value, value);
  EXPECT_FALSE(fields[1].value_known);
}

}  // namespace
}  // namespace tailcap::protocols::hpack
