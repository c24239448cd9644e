#include "analyze/views/series/census_of.h"

#include <sys/stat.h>

#include <string_view>

#include "analyze/logs/files.h"
#include "analyze/series/counter.h"
#include "analyze/views/export/openmetrics.h"
#include "formats/bounds/process_bounds.h"

namespace tailcap::views {
namespace {

constexpr std::size_t kMostMetricText = 256u << 20, kMostLooked = 4096;  // bytes
constexpr formats::Duration kForEachMetricByte{2000};  // of processor time: changes are tried on every series

}  // namespace

CountedSeries census_of(const std::string& file, const pipeline::Options& options, std::optional<std::uint64_t> limit) {
  CountedSeries out;
  series::SeriesCounter counter;
  logs::FileText content = logs::text_of(file, kMostLooked);
  // No text of metrics has a zero byte.
  if (file.ends_with(".tcap") || content.text.find('\0') != std::string::npos) {
    content.text.clear();
    const Exported exported =
        export_openmetrics(file, options, false, [&](std::string_view text) { content.text += text; });
    out.damaged = exported.damaged;
  } else {
    content = logs::text_of(file, kMostMetricText);
    out.bytes_left_out = content.left_out;
    formats::allow_more_processor(kForEachMetricByte * static_cast<std::int64_t>(content.text.size()));
  }
  counter.add_text(content.text);
  out.census = counter.census(limit);
  out.census.file = file;
  if (struct stat status{}; out.census.at == 0 && ::stat(file.c_str(), &status) == 0)
    out.census.at = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  return out;
}

}  // namespace tailcap::views
