#include "tests/synth/capture_file.h"

#include <algorithm>

#include "formats/file/writer.h"
#include "tests/synth/scenario.h"

namespace tailcap::synth {

void write_capture(const std::string& path, const formats::Preamble& preamble, std::span<const formats::Event> events) {
  formats::Writer writer(path, preamble, true);
  formats::Time last = preamble.started;
  for (const formats::Event& e : events) {
    if (const auto kind = formats::kind_of(e); kind == formats::Kind::capture_end || kind == formats::Kind::damage)
      continue;
    writer.push(e);
    last = std::max(last, e.time);
    writer.tick(last);
  }
  writer.finish(last);
}

}  // namespace tailcap::synth
