// Any text as a log file: every line has bounded texts, and a second reading says the same.
#include <cassert>
#include <cstdint>
#include <string_view>

#include "analyze/logs/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const logs::TimePattern kPattern("%d.%m.%Y %H:%M:%S.%f %z");
  for (const bool pattern : {false, true}) {
    const logs::ReadOptions options{3600, pattern ? &kPattern : nullptr, 1'764'331'200'000'000'000};
    logs::LogReader one(text, options), other(text, options);
    model::LoggedLine line, again;
    std::uint64_t last = 0;
    while (one.next(line)) {
      assert(other.next(again) && again.text == line.text && again.time.at == line.time.at);
      assert(line.number > last && !line.text.empty());
      last = line.number;
      assert(line.text.size() <= logs::kLongestKept && line.whole.size() <= logs::kLongestKept);
      assert(line.trace_id.empty() || line.trace_id.size() == 32);
      assert(line.request_id.size() <= 128 && line.service.size() <= 128);
      if (line.time.state == model::LogTime::State::none) continue;
      assert(line.time.precision > 0 && line.time.precision <= 3'600'000'000'000);
    }
    assert(!other.next(again));
  }
  return 0;
}
