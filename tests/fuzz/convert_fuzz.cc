// Ring records of any bytes through conversion and masking, as in the recorder: one long stream; the first two bytes of
// each record are its length.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "capture/mask/gate.h"
#include "capture/rings/convert.h"
#include "capture/stacks/scripts/script_codes.h"
#include "formats/event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap;
  capture::Converter converter;
  capture::mask::Gate gate;
  capture::stacks::ScriptCodes codes;
  formats::Event event;
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data), size);
  while (rest.size() >= 2) {
    const std::size_t wanted = std::to_integer<std::size_t>(rest[0]) | std::to_integer<std::size_t>(rest[1]) << 8;
    rest = rest.subspan(2);
    const auto record = rest.first(std::min(wanted, rest.size()));
    rest = rest.subspan(record.size());
    codes.take(record);
    if (!converter.convert(record, event)) continue;
    std::size_t head = 0, tail = 0;
    if (const auto* io = std::get_if<formats::Io>(&event.body)) {
      head = io->head.size();
      tail = io->tail.size();
      assert(head + tail <= io->length);
    }
    gate.take(event);
    if (const auto* io = std::get_if<formats::Io>(&event.body))
      assert(io->head.size() <= head && io->tail.size() <= tail);
  }
  return 0;
}
