// Ring records of any bytes, through conversion and masking, as the recorder does it: one long stream, records of the
// length that the first two bytes of each say.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "capture/convert.h"
#include "capture/mask.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap;
  capture::Converter converter;
  capture::Mask mask;
  formats::Event event;
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data), size);
  while (rest.size() >= 2) {
    const std::size_t wanted = std::to_integer<std::size_t>(rest[0]) | std::to_integer<std::size_t>(rest[1]) << 8;
    rest = rest.subspan(2);
    const auto record = rest.first(std::min(wanted, rest.size()));
    rest = rest.subspan(record.size());
    if (!converter.convert(record, event)) continue;
    if (auto* io = std::get_if<formats::Io>(&event.body)) {
      const auto head = io->head.size(), tail = io->tail.size();
      assert(head + tail <= io->length);
      mask.apply(*io);
      assert(io->head.size() == head && io->tail.size() == tail);
    } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
      mask.begin(*info);
    } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
      mask.forget(change->socket);
    }
  }
  return 0;
}
