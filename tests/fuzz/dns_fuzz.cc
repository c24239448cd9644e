// Hostile datagrams of name servers: messages alone, and questions and answers on sockets up to lookups.
//
// Input: operations, each [control][length][bytes]: direction, socket and thread from control's bits.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analyze/names/dns_message.h"
#include "analyze/names/lookups.h"
#include "formats/event.h"

namespace {

using namespace tailcap;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_message(std::string_view bytes) {
  const auto m = names::parse_dns(bytes);
  if (!m) return;
  check(m->name.size() <= 4 * 255 && m->addresses.size() <= model::Lookup::kMaxAddresses);
  for (const char c : m->name) check(c > 0x20 && c < 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_message({reinterpret_cast<const char*>(data), size});
  names::Lookups lookups;
  std::size_t asked = 0, told = 0;
  std::int64_t now = 1000;
  const auto feed = [&](formats::Body body, formats::Thread who = {}) {
    formats::Event e;
    e.time = formats::time_from(now += 1'000'000);
    e.thread = who;
    e.body = body;
    for (const model::Lookup& l : lookups.push(e)) {
      check(l.attempts >= 1 && (l.rcode < 0 || l.done >= l.began));
      ++told;
    }
  };
  for (std::uint64_t id = 1; id <= 4; ++id) {
    formats::SocketInfo info;
    info.socket = id;
    info.family = formats::Family::inet;
    info.type = formats::SocketType::datagram;
    feed(info);
  }
  while (size >= 2) {
    const std::uint8_t control = data[0];
    const std::size_t length = std::min<std::size_t>(data[1], size - 2);
    formats::Io io;
    io.direction = control & 1 ? formats::Direction::in : formats::Direction::out;
    io.socket = 1u + (control >> 1 & 3);
    io.head = {reinterpret_cast<const char*>(data + 2), length};
    io.length = static_cast<std::uint32_t>(length);
    io.error = (control & 0xf0) == 0xf0 ? 111 : 0;
    if (control & 8) now += 7'000'000'000;
    feed(io, {1, 1u + (control >> 4 & 1)});
    ++asked;
    data += 2 + length;
    size -= 2 + length;
  }
  feed(formats::CaptureEnd{});
  check(told <= asked);
  return 0;
}
