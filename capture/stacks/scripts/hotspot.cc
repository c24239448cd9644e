#include "capture/stacks/scripts/hotspot.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

using symbols::HotspotProgram;

// With which what HotSpot does not say of itself was seen: how frames and tables of lines are written.
struct HotspotVersion {
  std::uint32_t jdk;
  std::uint16_t named, ways;  // as in hotspot_process: what the names of fields have to say, and the rest
};
constexpr HotspotVersion kHotspotVersions[] = {
    {11, HOTSPOT_FILE_IN_CLASS, 0},
    {17, 0, 0},
    {21, 0, HOTSPOT_LINES_FROM_ONE},
    {25, HOTSPOT_CODE_BY_OFFSET, HOTSPOT_LINES_FROM_ONE},
};

std::optional<bpf::script_process> hotspot_process(const symbols::ScriptPrograms& programs, std::uint64_t bias) {
  const HotspotProgram& program = programs.hotspot;
  const auto version = std::ranges::find(kHotspotVersions, program.version(), &HotspotVersion::jdk);
  if (version == std::end(kHotspotVersions) || program.ways() != version->named || program.heaps() == 0)
    return std::nullopt;
  bool whole = true;
  const auto narrow = [&](std::uint64_t size) {
    whole = whole && size != 0 && std::in_range<std::uint16_t>(size);
    return static_cast<std::uint16_t>(size);
  };
  bpf::script_process process{};
  process.language = bpf::SCRIPT_HOTSPOT;
  process.hotspot.table = bias + program.table();
  process.hotspot.heaps = bias + program.heaps();
  process.hotspot.ways = static_cast<std::uint16_t>(version->named | version->ways);
  process.hotspot.block_bytes = narrow(program.block_bytes());
  process.hotspot.fixed_bytes = narrow(program.fixed_bytes());
  process.hotspot.pool_bytes = narrow(program.pool_bytes());
  for (std::uint32_t i = 0; i < bpf::HOTSPOT_FIELDS; ++i) {
    const auto entry = program.entry(static_cast<bpf::hotspot_field>(i));
    whole = whole && entry;
    process.hotspot.entries[i] = entry.value_or(0);
  }
  return whole ? std::optional(process) : std::nullopt;
}

std::string hotspot_version(const symbols::ScriptPrograms& programs, std::string_view) {
  const std::uint32_t version = programs.hotspot.version();
  return version == 0 ? "Java" : "Java " + std::to_string(version);
}

constexpr std::size_t kMostScope = 80;  // bytes; longer ones lose their package

// "com/shop/Cart" and "show" are com.shop.Cart.show; constructors are called <init>.
std::string hotspot_frame(const ScriptCode& code) {
  ScriptText name = code.name;
  std::string scope = code.scope.text;
  if (scope.size() > kMostScope && !code.scope.cut) scope.erase(0, scope.rfind('/') + 1);
  std::ranges::replace(scope, '/', '.');
  name.text = scope + "." + name.text;
  name.cut = name.cut || code.scope.cut;
  square_brackets(name.text);
  if (code.file.text.empty() || code.first_line == 0) return frame_name(name.text);
  ScriptText file = code.file;
  square_brackets(file.text);
  return script_frame(name, file, code.first_line, {});
}

}  // namespace

const ScriptLanguage kHotspotLanguage = {
    .number = bpf::SCRIPT_HOTSPOT,
    .name = "Java",
    .called = "libjvm",
    .interpreter = "",
    .sure = false,
    .found = [](const symbols::ScriptPrograms& programs) { return programs.hotspot.found(); },
    .process = hotspot_process,
    .version = hotspot_version,
    .frame = hotspot_frame,
};

}  // namespace tailcap::capture::stacks
