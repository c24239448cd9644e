// A connection is redacted. Either one with planted credentials, of which the input chooses what is sent, cut and lost:
// no credential may remain. Or one of any bytes: lengths do not change, nor when the copy is redacted again.
#include <cstdio>
#include <cstdlib>

#include "tests/unit/formats/planted_streams.h"
#include "tests/unit/redact/wire_case.h"

namespace {

using namespace tailcap;
using formats::Direction;
using redact::wire::Passage;

void fail(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s: %s\n", what, text.c_str());
  std::abort();
}

void planted_credentials(planted::Wire wire, redact::RedactionLevel level, const unsigned char* data,
                         std::size_t size) {
  planted::Choices choices;
  choices.bytes.assign(data, data + size);
  const auto trial = planted::passed(wire, choices, [&](bool late) {
    return Passage(level, late ? formats::Origin::existed : formats::Origin::accepted);
  });
  if (!trial.leak.empty()) fail("left", trial.leak);
}

// Pieces: one byte says the direction and what is lost or unseen, one the length.
void any_bytes(redact::RedactionLevel level, bool late, const unsigned char* data, std::size_t size) {
  Passage first(level, late ? formats::Origin::existed : formats::Origin::connected), second(level);
  while (size >= 2) {
    const unsigned how = data[0];
    const std::size_t length = std::min<std::size_t>(data[1] + 1u, size - 2);
    const std::string bytes(reinterpret_cast<const char*>(data) + 2, length);
    data += 2 + length;
    size -= 2 + length;
    if (bytes.empty()) break;
    const Direction way = (how & 1) != 0 ? Direction::in : Direction::out;
    if ((how & 6) == 6) {
      first.lose(way, length);
      second.lose(way, length);
      continue;
    }
    const std::size_t head = (how & 8) != 0 ? length * (how >> 4) / 16 : length;
    const std::size_t tail = (how & 8) != 0 ? (length - head) / 2 : 0;
    const auto left = first.part(way, bytes, head, tail);
    if (left.head.size() > head || left.tail.size() > tail) fail("more bytes than there were", bytes);
    // What is left is taken again, as in a capture that is redacted twice.
    std::string again = left.head;
    again.resize(head, '*');
    again += std::string(length - head - tail, '*') + std::string(tail - left.tail.size(), '*') + left.tail;
    const auto twice = second.part(way, again, head, tail);
    if (twice.head.size() > head || twice.tail.size() > tail) fail("more bytes the second time", bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const auto level = (data[0] & 4) != 0 ? redact::RedactionLevel::strict : redact::RedactionLevel::standard;
  const unsigned what = data[0] % 4;
  if (what < 3)
    planted_credentials(static_cast<planted::Wire>(what), level, data + 1, size - 1);
  else
    any_bytes(level, (data[0] & 8) != 0, data + 1, size - 1);
  return 0;
}
