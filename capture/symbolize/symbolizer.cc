#include "capture/symbolize/symbolizer.h"

#include <string>
#include <string_view>
#include <vector>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::symbolize {

using namespace stacks;

void Symbolizer::add(std::string_view name, const CodeAddress& place) {
  ++frames_.asked;
  DebuggedFile& file = files_.of(place);
  ++file.frames;
  if (!file.names) return text_.add(name, {}, &place);
  std::string function = frame_name(file.names->around(place.address));
  // The recorder may have said more of it, for example that it executes code of a version that it does not know.
  if (function.empty() || name.starts_with(function + " (")) function = name;
  const auto frames = code_frames(function, file.lines, place.address);
  const bool lined = !frames.front().line.empty();
  frames_.named += function != name;
  frames_.lined += lined;
  frames_.inlined += frames.size() - 1;
  text_.add(frames, lined || frames.size() > 1 ? nullptr : &place);
}

formats::Sample Symbolizer::push(const formats::Sample& sample) {
  const auto names = entries_of(sample.user), lines = entries_of(sample.lines);
  const auto places = FrameTexts::places_of(sample, names.size());
  if (places.empty()) return sample;
  text_ = FrameTexts();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (places[i].file.empty() && places[i].build_id.empty())
      text_.add(names[i], lines.size() == names.size() ? lines[i] : std::string_view());
    else
      add(names[i], places[i]);
  }
  formats::Sample out = sample;
  text_.put(out);
  return out;
}

}  // namespace tailcap::capture::symbolize
