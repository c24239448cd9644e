#include "analyze/export/pprof.h"

#include <cstdint>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/study/lined_frame.h"
#include "formats/printable.h"

namespace tailcap::exports {
namespace {

using protozero::pbf_writer;

// Field numbers of profile.proto.
namespace profile_field {
constexpr int kSampleType = 1, kSample = 2, kLocation = 4, kFunction = 5, kString = 6, kDuration = 10, kPeriodType = 11,
              kPeriod = 12;
constexpr int kType = 1, kUnit = 2;                                  // of ValueType
constexpr int kLocationIds = 1, kValues = 2;                         // of Sample
constexpr int kId = 1, kLine = 4, kFunctionId = 1, kLineNumber = 2;  // of Location and Line
constexpr int kName = 2, kSystemName = 3, kFileName = 4;             // of Function
}  // namespace profile_field

class Strings {
 public:
  Strings() { id(""); }  // the first is empty
  std::int64_t id(std::string_view text) {
    const auto [at, added] = ids_.try_emplace(std::string(text), static_cast<std::int64_t>(all_.size()));
    if (added) all_.push_back(at->first);
    return at->second;
  }
  void put(pbf_writer& out) const {
    for (const std::string& text : all_) out.add_string(profile_field::kString, text);
  }

 private:
  std::map<std::string, std::int64_t> ids_;
  std::vector<std::string> all_;
};

}  // namespace

std::string pprof(const model::Flame& flame, std::int64_t duration, std::int64_t period) {
  std::string out;
  pbf_writer profile(out);
  Strings strings;
  std::map<std::string, std::uint64_t> locations_by_text;                            // ids
  std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> functions;  // ids, by name and file
  const auto value_type = [&](std::string_view type, std::string_view unit, int field = profile_field::kSampleType) {
    pbf_writer one(profile, field);
    one.add_int64(profile_field::kType, strings.id(type));
    one.add_int64(profile_field::kUnit, strings.id(unit));
  };
  if (flame.time)
    value_type("off-CPU time", "nanoseconds");
  else if (flame.bytes)
    value_type("allocated", "bytes");
  else
    value_type("samples", "count");
  const bool of_cpu = period > 0 && !flame.time && !flame.bytes;
  if (of_cpu) {
    value_type("cpu", "nanoseconds");
    value_type("cpu", "nanoseconds", profile_field::kPeriodType);
    profile.add_int64(profile_field::kPeriod, period);
  }
  for (const model::FoldedStack& stack : flame.stacks) {
    std::vector<std::uint64_t> locations;
    for (std::string_view rest = stack.frames; !rest.empty();) {
      const std::string_view frame = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), frame.size() + 1));
      const std::string name = formats::printable(frame);
      locations.push_back(locations_by_text.try_emplace(name, locations_by_text.size() + 1).first->second);
    }
    pbf_writer sample(profile, profile_field::kSample);
    sample.add_packed_uint64(profile_field::kLocationIds, locations.rbegin(), locations.rend());  // innermost first
    std::vector<std::int64_t> values = {static_cast<std::int64_t>(stack.value)};
    if (of_cpu) {
      std::int64_t time = 0;  // beyond 63 bits only in crafted captures
      values.push_back(__builtin_mul_overflow(values[0], period, &time) ? INT64_MAX : time);
    }
    sample.add_packed_int64(profile_field::kValues, values.begin(), values.end());
  }
  for (const auto& [text, id] : locations_by_text) {
    const model::LinedFrame frame = model::lined_frame(text);
    const auto function = functions.try_emplace({frame.name, frame.file}, functions.size() + 1).first;
    pbf_writer location(profile, profile_field::kLocation);
    location.add_uint64(profile_field::kId, id);
    pbf_writer line(location, profile_field::kLine);
    line.add_uint64(profile_field::kFunctionId, function->second);
    if (frame.line != 0) line.add_int64(profile_field::kLineNumber, frame.line);
  }
  for (const auto& [function, id] : functions) {
    pbf_writer one(profile, profile_field::kFunction);
    one.add_uint64(profile_field::kId, id);
    one.add_int64(profile_field::kName, strings.id(function.first));
    one.add_int64(profile_field::kSystemName, strings.id(function.first));
    if (!function.second.empty()) one.add_int64(profile_field::kFileName, strings.id(function.second));
  }
  strings.put(profile);
  if (duration > 0) profile.add_int64(profile_field::kDuration, duration);
  return out;
}

}  // namespace tailcap::exports
