// Two byte streams, cut into runs, partly captured and partly lost, through protocols and exchanges. The same bytes in
// one run and byte by byte must give the same exchanges unless one is in doubt: after broken framing, only the borders
// of runs remain as evidence.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace {

using namespace tailcap;
using namespace std::chrono_literals;

struct Part {
  bool in;
  std::string bytes;
};

// The input: parts, each a byte (direction, and whether a new one starts) and text up to the next 0x00.
std::vector<Part> parts_of(std::string_view in) {
  std::vector<Part> parts;
  while (!in.empty()) {
    const bool direction = in.front() & 1;
    in.remove_prefix(1);
    const std::size_t end = std::min(in.find('\0'), in.size());
    if (end > 0) parts.push_back({direction, std::string(in.substr(0, end))});
    in.remove_prefix(std::min(end + 1, in.size()));
  }
  return parts;
}

synth::Result whole(const std::vector<Part>& parts, bool server, bool byte_by_byte) {
  synth::Scenario s;
  synth::Opening o;
  o.origin = server ? formats::Origin::accepted : formats::Origin::connected;
  synth::Endpoint& e = s.open(0ms, o);
  formats::Duration t = 1ms;
  for (const Part& p : parts) {
    t += 1ms;
    if (p.in) e.arrive(t - 500us, static_cast<std::uint32_t>(p.bytes.size()));
    for (std::size_t at = 0; at < p.bytes.size(); at += byte_by_byte ? 1 : p.bytes.size()) {
      const std::string_view part = std::string_view(p.bytes).substr(at, byte_by_byte ? 1 : p.bytes.size());
      p.in ? e.read(t, part) : e.send(t, part);
    }
  }
  e.fin_arrives(t + 1ms).eof(t + 2ms).shut_down(t + 3ms).close(t + 4ms);
  synth::Result r = synth::analyse(s.events());
  assert(r.findings[model::Finding::negative_interval] == 0);
  return r;
}

// Every third part is lost, and little payload is kept: no comparison, the code must only survive.
void lossy(const std::vector<Part>& parts, std::size_t keep, unsigned lose) {
  synth::Scenario s;
  s.keep_payload(keep, 16);
  synth::Endpoint& e = s.open(0ms);
  formats::Duration t = 1ms;
  unsigned n = 0;
  for (const Part& p : parts) {
    t += 1ms;
    if (++n % 3 == lose)
      p.in ? e.lose_read(p.bytes.size()) : e.lose_send(p.bytes.size());
    else
      p.in ? e.receive(t - 500us, t, p.bytes) : e.send(t, p.bytes);
  }
  synth::analyse(s.events());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::vector<Part> parts = parts_of({reinterpret_cast<const char*>(data), size});
  for (const bool server : {true, false}) {
    const synth::Result once = whole(parts, server, false), again = whole(parts, server, true);
    const auto doubtful = [](const model::Exchange& x) { return !x.complete || x.taints != 0; };
    if (std::any_of(once.exchanges.begin(), once.exchanges.end(), doubtful)) continue;
    const std::string one = synth::describe(once.exchanges), many = synth::describe(again.exchanges);
    if (one != many) {
      std::cerr << "in one:\n" << one << "byte by byte:\n" << many;
      std::abort();
    }
  }
  for (const std::size_t keep : {20u, 100u})
    for (const unsigned lose : {0u, 1u}) lossy(parts, keep, lose);
  return 0;
}
