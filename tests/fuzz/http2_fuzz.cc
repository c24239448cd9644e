// Hostile HTTP/2 runs: both directions, cut, lost and uncaptured bytes, late starts, up to exchanges.
//
// Input: [mode] then operations, each [control][length][bytes]: control's lowest bit is the direction, the next six
// choose the operation, see below.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analyze/exchanges/exchanges.h"
#include "analyze/protocols/http2/connection.h"
#include "analyze/protocols/protocols.h"

namespace {

using namespace tailcap;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Run {
  model::ByteRun run;
  std::uint64_t offset[2] = {0, 0};

  const model::ByteRun& make(std::uint8_t control, std::string_view bytes, bool first_known) {
    run = {};
    run.connection = 1;
    run.direction = control & 1 ? model::Direction::in : model::Direction::out;
    std::uint64_t& at = offset[control & 1];
    const unsigned what = control >> 1 & 7;
    const unsigned n = control >> 4;
    run.first_known = first_known;
    run.length = bytes.size();
    run.head = bytes;
    if (what == 1) run.gap = n * 37 + 1;
    if (what == 2) run.head = bytes.substr(0, n);  // the rest was not captured
    if (what == 3) {
      run.head = bytes.substr(0, n);
      run.tail = bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size() - run.head.size(), 16));
    }
    if (what == 4) run.length += n * 1000;  // many more bytes were not captured either
    if (what == 5) run.end = n % 2 ? model::End::fin : model::End::reset;
    run.offset = at + run.gap;
    at = run.offset + run.length;
    run.done = formats::time_from(static_cast<std::int64_t>(1000 + offset[0] + offset[1]));
    run.thread = {1, 1};
    return run;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool late = data[0] & 1;
  ++data;
  --size;
  protocols::http2::Held held;
  {
    protocols::http2::Http2Connection connection(1, late ? std::nullopt : std::optional(model::Direction::in), held);
    protocols::Parsers parsers;
    exchanges::Exchanges exchanges;
    protocols::Messages out;
    model::Findings findings;
    Run alone;
    std::size_t requests = 0, responses = 0, asked = 0;
    const auto feed = [&](const model::ByteRun& run) {
      out.clear();
      connection.push(run, out, findings);
      for (const model::Message& m : out) {
        check((m.kind == model::MessageKind::closed) == (m.stream == 0));
        check(!m.pushed || (m.kind == model::MessageKind::request && m.stream % 2 == 0));
        check(m.window_waits.total >= m.window_waits.of_connection && m.window_waits.of_connection.count() >= 0);
        check(m.behind_others.time.count() >= 0);
        check(m.begin <= m.end);
        requests += m.kind == model::MessageKind::request;
        responses += m.kind == model::MessageKind::response;
      }
      for (const model::Message& m : parsers.push(run))
        for (const model::Exchange& x : exchanges.push(m)) asked += x.id.index > 0;
      check(held.text <= protocols::http2::Held::kMaxText + protocols::hpack::DynamicTable::kMaxStored);
      check(held.streams <= protocols::http2::Http2Connection::kMaxStreams);
    };
    while (size >= 2) {
      const std::uint8_t control = data[0];
      const std::size_t length = std::min<std::size_t>(data[1], size - 2);
      feed(alone.make(control, {reinterpret_cast<const char*>(data + 2), length}, !late));
      data += 2 + length;
      size -= 2 + length;
    }
    for (const std::uint8_t direction : {0, 1}) {
      model::ByteRun end = alone.make(direction, {}, !late);
      end.end = model::End::capture;
      feed(end);
    }
    check(connection.done());
  }
  check(held.text == 0 && held.streams == 0);
  return 0;
}
