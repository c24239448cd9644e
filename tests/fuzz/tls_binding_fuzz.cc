// Any sequence of socket I/O and TLS calls on a few threads, sockets and sessions with possibly equal numbers. Besides
// not crashing: runs of a direction are in byte order, nothing arrives after it was read, and bindings are consistent:
// the carrier exists, is not the session itself, and has its addresses.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "formats/event.h"
#include "tests/fuzz/bytes.h"
#include "tests/synth/chain.h"

namespace {

using namespace tailcap;

// Headers of records with lengths that match what the sessions move.
constexpr std::string_view kRecords[] = {{"\x17\x03\x03\x00\x21", 5},
                                         {"\x17\x03\x03\x00\x11", 5},
                                         {"\x16\x03\x01\x00\x08", 5},
                                         {"GET / HTTP/1.1\r\n\r\n", 18}};
constexpr std::uint32_t kPlain[] = {16, 0, 18, 9};

struct Positions {
  std::uint64_t at[8][2] = {};
};

formats::Body body(Bytes& in, formats::Time now, Positions& sockets, Positions& sessions) {
  const std::uint8_t kind = in.byte(), flags = in.byte();
  const std::uint8_t who = flags & 7;
  const auto direction = flags & 8 ? formats::Direction::in : formats::Direction::out;
  const auto d = static_cast<std::size_t>(direction);
  const bool wild = (flags & 0xe0) == 0xe0;
  switch (kind % 8) {
    case 0:
    case 1: {
      formats::Io io;
      io.socket = 1 + who;
      io.direction = direction;
      io.head = kRecords[kind >> 3 & 3];
      io.payload = formats::Payload::captured;
      io.length = wild ? in.word() : static_cast<std::uint32_t>(io.head.size()) + (kind >> 5) * 11;
      io.missed = flags == 0xf1;
      std::uint64_t& at = sockets.at[who][d];
      io.position = wild ? in.word() : static_cast<std::uint32_t>(at);
      at = static_cast<std::uint32_t>(io.position + io.length);
      return io;
    }
    case 2:
    case 3:
    case 4: {
      formats::TlsIo io;
      io.session = flags & 16 ? 1 + who : formats::kTlsSessionBit | who;
      io.direction = direction;
      io.head = kRecords[3].substr(0, kPlain[kind >> 3 & 3]);
      io.payload = formats::Payload::captured;
      io.length = wild ? in.word() : kPlain[kind >> 3 & 3];
      io.continued = (kind & 0x60) == 0x60;
      io.missed = flags == 0xf1;
      io.began = now - std::chrono::microseconds{kind >> 5};
      std::uint64_t& at = sessions.at[who][d];
      io.position = wild ? std::uint64_t{in.word()} << 32 | in.word() : at;
      at = io.position + io.length;
      return io;
    }
    case 5:
      return formats::TlsStep{flags & 16 ? std::uint64_t{1} + who : formats::kTlsSessionBit | who,
                              static_cast<formats::TlsLibrary>(kind >> 3 & 3),
                              static_cast<formats::TlsStepKind>((kind >> 5) % 5), 0};
    case 6: {
      if (flags & 16)
        return formats::StateChange{std::uint64_t{1} + who, formats::TcpState::established, formats::TcpState::close,
                                    false, 0};
      formats::SocketInfo info;
      info.socket = 1 + who;
      info.family = flags & 32 ? formats::Family::unix_domain : formats::Family::inet;
      info.type = formats::SocketType::stream;
      info.origin = static_cast<formats::Origin>((kind >> 3) % 5);
      info.state = formats::TcpState::established;
      info.local.port = 443;
      info.remote.port = who;
      return info;
    }
    default:
      if (flags & 16) return formats::TaskExit{};
      return formats::Arrival{std::uint64_t{1} + who, static_cast<std::uint32_t>(sockets.at[who][1]), in.byte(), 0};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes in(data, size);
  synth::Chain chain;
  Positions sockets, sessions;
  std::map<std::pair<model::ConnectionId, int>, std::uint64_t> next;
  formats::Time now = formats::time_from(1'000'000'000'000);
  const auto push = [&](const formats::Event& event) {
    for (const model::ByteRun& run : chain.streams.push(event)) {
      const auto [at, fresh] =
          next.try_emplace({run.connection, static_cast<int>(run.direction)}, run.offset - run.gap);
      assert(at->second == run.offset - run.gap);
      at->second = run.offset + run.length;
      for (const model::ArrivalMark& mark : run.arrivals) assert(mark.time <= run.done);
      const model::Connection* c = chain.streams.connection(run.connection);
      assert(c && c->id == run.connection);
      assert((c->how == model::BindingHow::none) == (c->carrier == 0));
      assert(c->tls || c->carrier == 0);
      if (const model::Connection* carrier = chain.streams.connection(c->carrier)) {
        assert(carrier != c);
        assert(carrier->socket == c->socket || carrier->tls);
      }
      for (const model::Message& message : chain.parsers.push(run))
        for ([[maybe_unused]] const model::Exchange& x : chain.exchanges.push(message)) {
        }
    }
  };
  while (!in.empty()) {
    const std::uint8_t step = in.byte();
    now += step < 250   ? std::chrono::microseconds{step & 15}
           : step < 254 ? formats::Duration(std::chrono::milliseconds{200})
                        : -std::chrono::milliseconds{1};
    const std::uint32_t tid = 1 + (step >> 4 & 3);
    push({now, {1, tid}, body(in, now, sockets, sessions)});
  }
  push({now, {}, formats::CaptureEnd{}});
  const model::TlsSessions& t = chain.streams.tls();
  assert(t.sessions == t.nested + t.lengths + t.unbound && t.sessions <= t.seen);
  return 0;
}
