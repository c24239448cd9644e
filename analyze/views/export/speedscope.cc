#include "analyze/views/export/speedscope.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "analyze/model/study/lined_frame.h"
#include "analyze/report/json/json_writer.h"
#include "formats/printable.h"

namespace tailcap::views {
namespace {

// Indexes of the frames of each stack, the outermost first, and their names.
struct Frames {
  std::vector<std::string> names;
  std::vector<std::vector<std::uint64_t>> stacks;
};

Frames numbered(const model::Flame& flame) {
  Frames out;
  std::map<std::string, std::uint64_t> places;
  for (const model::FoldedStack& stack : flame.stacks) {
    std::vector<std::uint64_t>& frames = out.stacks.emplace_back();
    for (std::string_view rest = stack.frames; !rest.empty();) {
      const std::string_view frame = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), frame.size() + 1));
      const auto [at, added] = places.try_emplace(formats::printable(frame), places.size());
      if (added) out.names.push_back(at->first);
      frames.push_back(at->second);
    }
  }
  return out;
}

}  // namespace

std::string speedscope(const model::Flame& flame) {
  const Frames frames = numbered(flame);
  std::uint64_t all = 0;
  for (const model::FoldedStack& stack : flame.stacks) all += stack.value;
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("$schema", "https://www.speedscope.app/file-format-schema.json");
  json.field("exporter", "tailcap");
  json.key("shared");
  json.begin_object();
  json.key("frames");
  json.begin_array();
  for (const std::string& name : frames.names) {
    json.begin_object();
    const model::LinedFrame frame = model::lined_frame(name);
    json.field("name", frame.name);
    if (frame.line != 0) {
      json.field("file", frame.file);
      json.field("line", std::uint64_t{frame.line});
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.key("profiles");
  json.begin_array();
  json.begin_object();
  json.field("type", "sampled");
  json.field("name", flame.title);
  json.field("unit", flame.time ? "nanoseconds" : flame.bytes ? "bytes" : "none");
  json.field("startValue", std::uint64_t{0});
  json.field("endValue", all);
  json.key("samples");
  json.begin_array();
  for (const std::vector<std::uint64_t>& stack : frames.stacks) {
    json.begin_array();
    for (const std::uint64_t frame : stack) json.number(frame);
    json.end_array();
  }
  json.end_array();
  json.key("weights");
  json.begin_array();
  for (const model::FoldedStack& stack : flame.stacks) json.number(stack.value);
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace tailcap::views
