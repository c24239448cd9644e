// Messages of any bytes behind a valid checksum: columns, refs and tables are checked before they are used. The first
// four bytes give the header's event count, type and losses; the message follows.
#include <cstring>
#include <vector>

#include "formats/columns/message.h"
#include "tests/fuzz/touch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap::formats;
  using namespace tailcap::formats::columns;
  if (size < 4) return 0;
  BlockHeader header;
  header.events = static_cast<std::uint32_t>(data[0] | data[1] << 8);
  header.type = static_cast<std::uint8_t>(data[2] % 2 + 1);
  header.lost = data[3];
  header.last = kMaxTime;
  std::vector<std::uint64_t> words((size - 4) / 8);  // aligned, as the decoder requires
  if (!words.empty()) std::memcpy(words.data(), data + 4, words.size() * 8);
  const auto message = std::as_bytes(std::span(words));
  std::vector<Event> events;
  if (!decode_events(message, header, events).empty() && !events.empty()) std::abort();
  static volatile std::uint64_t touched;
  for (const Event& event : events) touched = touched + touch(event);
  Preamble preamble;
  if (!decode_preamble(message, preamble).empty() && !(preamble == Preamble{})) std::abort();
  Footer footer;
  decode_footer(message, footer);
  return 0;
}
