#include "capture/symbolize/debug_files.h"

#include <algorithm>

#include "capture/symbols/elf/build_id.h"
#include "ground/text.h"

namespace tailcap::capture::symbolize {

namespace {

constexpr std::uint64_t kMostMemory = 1u << 30;  // of the names and lines of all files
constexpr std::size_t kMostFiles = 4096;         // that a capture may name; recordings have as many at most
constexpr std::size_t kMostDigits = 128;

bool is_build_id(const std::string& text) {
  return text.size() <= kMostDigits && text.find_first_not_of("0123456789abcdef") == text.npos &&
         !symbols::debug_path(text).empty();
}

// The capture says it: it must not lead out of the folder.
bool is_name(const std::string& text) {
  return !text.empty() && text != "." && text != ".." && text.find('/') == text.npos && text.find('\0') == text.npos;
}

std::vector<std::string> candidates(const std::string& folder, const DebuggedFile& file) {
  const std::string by_id = symbols::debug_path(file.build_id);
  std::vector<std::string> out = {folder + by_id, folder + "/usr/lib/debug" + by_id,
                                  folder + "/" + file.build_id + "/debuginfo",
                                  folder + "/" + file.build_id + "/executable"};
  if (is_name(file.name)) {
    out.push_back(folder + "/" + file.name + ".debug");
    out.push_back(folder + "/" + file.name);
  }
  return out;
}

}  // namespace

DebuggedFile& DebugFiles::of(const stacks::CodeAddress& place) {
  static const std::string kMore = "beyond the limit of files";
  const bool room = known_.size() < kMostFiles || known_.contains(place.build_id);
  const auto [at, fresh] = known_.try_emplace(room ? place.build_id : kMore);
  if (!fresh) return at->second;
  at->second.build_id = at->first;
  at->second.name = place.file;
  if (room && is_build_id(place.build_id)) read(at->second);
  return at->second;
}

void DebugFiles::read(DebuggedFile& file) {
  for (const std::string& folder : folders_) {
    for (const std::string& path : candidates(folder, file)) {
      read(file, path);
      if (!file.lines.empty()) return;
    }
  }
}

// One without debug information may have names that another one has not, and the other way round.
void DebugFiles::read(DebuggedFile& file, const std::string& path) {
  const auto found = files_.open(path, {{path}});
  if (!found || ground::hex_text(files_.build_id(*found).value_or("")) != file.build_id) return;
  auto names = files_.names(*found);
  if (!names) {
    file.problem = path + ": " + files_.problem();
    return;
  }
  auto lines = files_.source_lines(*found, {});
  const bool better = !file.names || file.names->memory() < names->memory();
  if (lines && lines->empty()) lines.reset();
  if (!better && !lines) return;
  file.problem = lines ? "" : path + " has no lines that can be read";
  const std::uint64_t memory = (better ? names->memory() : 0) + (lines ? lines->memory() : 0);
  if (memory_ + memory > kMostMemory) {
    file.problem = path + ": the names of all files together take too much memory";
    return;
  }
  memory_ += memory;
  if (better) file.names = std::move(names);
  if (lines) file.lines = std::move(*lines);
}

}  // namespace tailcap::capture::symbolize
