// Hostile TLS runs: hellos alone, and both directions of a connection, with cuts, lost and uncaptured bytes, late
// starts.
//
// Input: [mode] then operations, each [control][length][bytes]: control's lowest bit is the direction, the next three
// choose the operation, the others give the amount.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analyze/model/wire/tls.h"
#include "analyze/protocols/protocols.h"
#include "analyze/protocols/tls/hello.h"

namespace {

using namespace tailcap;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Run {
  model::ByteRun run;
  std::uint64_t offset[2] = {0, 0};
  std::int64_t now = 1000;

  const model::ByteRun& make(std::uint8_t control, std::string_view bytes, bool first_known) {
    run = {};
    run.connection = 1;
    run.direction = control & 1 ? model::Direction::in : model::Direction::out;
    std::uint64_t& at = offset[control & 1];
    const unsigned what = control >> 1 & 7, n = control >> 4;
    run.first_known = first_known;
    run.length = bytes.size();
    run.head = bytes;
    if (what == 1) run.gap = n * 37 + 1;
    if (what == 2) run.head = bytes.substr(0, n);
    if (what == 3) {
      run.head = bytes.substr(0, n);
      run.tail = bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size() - run.head.size(), 16));
    }
    if (what == 4) run.length += n * 1000;
    if (what == 5) run.end = n % 2 ? model::End::fin : model::End::reset;
    run.offset = at + run.gap;
    at = run.offset + run.length;
    run.done = formats::time_from(now += 10);
    run.thread = {1, 1};
    return run;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto client = protocols::tls::parse_client_hello(all);
  const auto server = protocols::tls::parse_server_hello(all);
  check(client.server_name.size() <= 255 && client.alpn.size() <= 1024 + 256 && server.alpn.size() <= 1024 + 256);
  const bool late = data[0] & 1;
  ++data;
  --size;
  protocols::Parsers parsers;
  Run run;
  std::size_t handshakes = 0;
  bool ended[2] = {false, false};
  const auto feed = [&](const model::ByteRun& r) {
    bool& over = ended[static_cast<std::size_t>(r.direction)];
    if (over) return;  // streams pass on nothing after an end
    over = r.end != model::End::none;
    for (const model::Message& m : parsers.push(r)) {
      check((m.kind == model::MessageKind::handshake) == (m.tls != nullptr));
      if (!m.tls) continue;
      const model::TlsFacts& f = *m.tls;
      check(++handshakes == 1);
      check((f.outcome == model::TlsOutcome::failed) == (f.failure != model::TlsFailure::none));
      check(model::failure_text(f).empty() == (f.failure == model::TlsFailure::none));
      check(!formats::known(f.done) || f.outcome == model::TlsOutcome::done);
      check(!formats::known(f.done) || !formats::known(f.began) || f.done >= f.began);
      check(!f.began_before || f.outcome == model::TlsOutcome::unknown);
    }
  };
  while (size >= 2) {
    const std::size_t length = std::min<std::size_t>(data[1], size - 2);
    feed(run.make(data[0], {reinterpret_cast<const char*>(data + 2), length}, !late));
    data += 2 + length;
    size -= 2 + length;
  }
  for (const std::uint8_t direction : {0, 1}) {
    model::ByteRun end = run.make(direction, {}, !late);
    end.end = model::End::capture;
    feed(end);
  }
  return 0;
}
