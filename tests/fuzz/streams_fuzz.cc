// Any sequence of events through streams, protocols and exchanges: ten bytes per event, followed by payload. Besides
// not crashing: runs of a direction are in byte order, and the facts of an exchange are consistent.
#include <cassert>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "formats/event.h"
#include "tests/fuzz/bytes.h"
#include "tests/synth/chain.h"

namespace {

using namespace tailcap;

// Positions and lengths near each other, so that gaps, overlaps and wraps are common.
formats::Body body(Bytes& in) {
  const std::uint8_t kind = in.byte(), place = in.byte(), flags = in.byte();
  const formats::SocketId socket = 1 + flags % 3;
  switch (kind % 8) {
    case 0:
    case 1:
    case 2: {
      formats::Io io;
      io.socket = socket;
      io.direction = kind & 8 ? formats::Direction::in : formats::Direction::out;
      io.length = in.byte();
      if (flags & 64) io.length = in.word();
      io.position = flags & 128 ? in.word() : std::uint32_t{0xffffffc0u} + place;
      io.missed = flags & 32 ? 1 : 0;
      io.error = (flags & 24) == 24 ? 104 : 0;
      const std::string_view payload = in.text(std::min<std::size_t>(io.length, flags & 4 ? 16 : 255));
      io.head = payload.substr(0, flags & 4 ? payload.size() / 2 : payload.size());
      io.tail = payload.substr(io.head.size());
      io.payload = formats::Payload::captured;
      return io;
    }
    case 3:
      return formats::Arrival{socket, std::uint32_t{0xffffffc0u} + place, in.byte(), 0};
    case 4:
      return formats::StateChange{socket, formats::TcpState::established, static_cast<formats::TcpState>(place % 13),
                                  false, flags & 64 ? 110 : 0};
    case 5: {
      formats::SocketInfo info;
      info.socket = socket;
      info.family = flags & 64 ? formats::Family::unix_domain : formats::Family::inet;
      info.type = formats::SocketType::stream;
      info.origin = static_cast<formats::Origin>(place % 5);
      info.state = formats::TcpState::established;
      info.next_out = info.next_in = 0xffffffc0u;
      return info;
    }
    case 6:
      return formats::Reset{socket, flags & 64 ? formats::Direction::in : formats::Direction::out};
    default:
      return formats::Loss{formats::kNoTime, formats::LossCause::queue_full, 255, place};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes in(data, size);
  synth::Chain chain;
  std::map<std::pair<model::ConnectionId, int>, std::uint64_t> next;
  std::map<model::ExchangeId, bool> seen;
  formats::Time now = formats::time_from(1'000'000'000'000);
  const auto push = [&](const formats::Event& event) {
    for (const model::ByteRun& run : chain.streams.push(event)) {
      const auto [at, fresh] =
          next.try_emplace({run.connection, static_cast<int>(run.direction)}, run.offset - run.gap);
      assert(at->second == run.offset - run.gap);
      at->second = run.offset + run.length;
      assert(run.head.size() + run.tail.size() <= run.length);
      std::uint64_t end = 0;
      for (const model::ArrivalMark& mark : run.arrivals) {
        assert(mark.end >= end && mark.time <= run.done);
        end = mark.end;
      }
      for (const model::Message& message : chain.parsers.push(run)) {
        assert(message.end >= message.begin);
        for (const model::Exchange& x : chain.exchanges.push(message)) {
          assert(seen.emplace(x.id, true).second);
          assert(!x.complete ||
                 (x.status != 0 && formats::known(x.request.last_done) && formats::known(x.response.last_done)));
          assert(!formats::known(x.request.last_done) || x.request.last_done >= x.request.first_done);
          assert(!formats::known(x.response.last_done) || x.response.last_done >= x.response.first_done);
        }
      }
    }
  };
  while (!in.empty()) {
    const std::uint8_t step = in.byte();
    // Mostly forwards, sometimes far, rarely backwards.
    now += step < 250   ? std::chrono::microseconds{step}
           : step < 254 ? formats::Duration(std::chrono::seconds{1})
                        : -std::chrono::milliseconds{1};
    push({now, {1, 1}, body(in)});
  }
  push({now, {}, formats::CaptureEnd{}});
  return 0;
}
