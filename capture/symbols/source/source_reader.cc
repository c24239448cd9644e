// Makes SourceLines of DWARF.
#include <dwarf.h>
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <tuple>
#include <unordered_map>

#include "capture/symbols/demangle.h"
#include "capture/symbols/elf/dwarf_file.h"
#include "capture/symbols/source/source_lines.h"

namespace tailcap::capture::symbols {

namespace {

// Limits for one file. One with more has none: a part would name lines of functions that it cannot know to be inlined.
constexpr std::size_t kMostRows = 4u << 20, kMostRanges = 2u << 20, kMostInlined = 1u << 20, kMostUnits = 1u << 20;
constexpr std::size_t kMostText = 24u << 20;
constexpr int kDeepest = 200;              // of entries within entries; compilers need a fifth of that
constexpr std::uint32_t kMostWithin = 64;  // functions that were put into one another
constexpr std::size_t kLongestName = 4096;
constexpr std::size_t kKeptName = 320;  // more than stacks show of one

std::string name_text(std::string_view raw) {
  std::string text = is_mangled(raw) ? demangled(raw) : std::string(raw);
  if (text.size() > kKeptName) text.resize(kKeptName);
  return text;
}

std::string_view without_folders(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

class SourceReader {
 public:
  SourceReader(const ElfFile& file, std::vector<std::uint64_t> addresses, SourceLines& out)
      : addresses_(std::move(addresses)), out_(out) {
    std::ranges::sort(addresses_);
    for (const Section& section : file.sections()) {
      if (section.flags & SHF_EXECINSTR) code_.emplace_back(section.address, section.address + section.size);
    }
  }

  // addresses: only of the units that have code there; none: of all.
  static SourceLines lines_of(const ElfFile& file, Dwarf& dwarf, std::vector<std::uint64_t> addresses) {
    SourceLines lines;
    SourceReader reader(file, std::move(addresses), lines);
    return reader.read(dwarf) ? lines : SourceLines();
  }

 private:
  // False: not all of it was understood, or it is too much.
  bool read(Dwarf& dwarf) {
    out_.texts_.push_back('\0');
    Dwarf_CU* unit = nullptr;
    Dwarf_Die top;
    std::uint8_t kind = 0;
    int more = 0;
    while ((more = dwarf_get_units(&dwarf, unit, &unit, nullptr, &kind, &top, nullptr)) == 0) {
      // The functions of a skeleton are in another file.
      const bool whole = kind == DW_UT_compile && !dwarf_hasattr(&top, DW_AT_GNU_dwo_name);
      if (!whole) continue;
      const bool wanted = addresses_.empty() || is_wanted(top);
      if (units_.size() > kMostUnits || (wanted && (!read_rows(top) || !read_children(top, {}, 0)))) return false;
    }
    if (more < 0) return false;
    put_rows();
    put_spans();
    put_parts();
    return true;
  }

  struct Step {
    SourceLines::Row row;
    bool end = false;  // no code of this sequence follows
  };
  struct Range {
    std::uint64_t low = 0, high = 0;
    std::uint32_t depth = 0, inlined = 0;
  };
  struct UnitRange {
    std::uint64_t low = 0, high = 0;
    bool read = false;
  };
  // What an entry is in.
  struct Within {
    std::uint32_t inlined = 0, depth = 0;
  };

  bool is_code(std::uint64_t address) const {
    return std::ranges::any_of(code_, [&](const auto& c) { return address >= c.first && address < c.second; });
  }
  std::uint32_t text(std::string_view text);
  std::uint32_t name_of(Dwarf_Die& die);
  std::uint32_t file_of(const char* path);
  bool is_wanted(Dwarf_Die& top);
  bool read_rows(Dwarf_Die& top);
  bool read_children(Dwarf_Die& parent, Within within, int depth);
  bool read_entry(Dwarf_Die& die, Within within, int depth);
  bool add_inlined(Dwarf_Die& die, Within& within);
  void put_rows();
  void put_spans();
  void put_parts();

  std::vector<std::uint64_t> addresses_;  // sorted
  SourceLines& out_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> code_;
  std::vector<Step> steps_;
  std::vector<Range> ranges_;
  std::vector<UnitRange> units_;  // empty where all of them are read
  std::unordered_map<std::string, std::uint32_t> texts_;
  std::unordered_map<const char*, std::uint32_t> files_;
  std::unordered_map<std::uint64_t, std::uint32_t> names_;  // by the offset of the entry that has them
};

std::uint32_t SourceReader::text(std::string_view text) {
  const auto [known, fresh] = texts_.try_emplace(std::string(text), static_cast<std::uint32_t>(out_.texts_.size()));
  if (fresh) out_.texts_.append(text).push_back('\0');
  return known->second;
}

std::uint32_t SourceReader::file_of(const char* path) {
  const auto known = files_.find(path);
  if (known != files_.end()) return known->second;
  return files_[path] = text(without_folders(std::string_view(path, strnlen(path, kLongestName))));
}

std::uint32_t SourceReader::name_of(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  Dwarf_Die origin = die;
  if (dwarf_attr(&die, DW_AT_abstract_origin, &attribute)) (void)dwarf_formref_die(&attribute, &origin);
  const auto known = names_.find(dwarf_dieoffset(&origin));
  if (known != names_.end()) return known->second;
  const char* mangled = nullptr;
  for (const unsigned which : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    if (!mangled && dwarf_attr_integrate(&origin, which, &attribute)) mangled = dwarf_formstring(&attribute);
  }
  const char* plain = dwarf_diename(&origin);
  const char* name = mangled ? mangled : plain;
  const std::string_view raw = name ? std::string_view(name, strnlen(name, kLongestName)) : "[unknown]";
  return names_[dwarf_dieoffset(&origin)] = text(name_text(raw));
}

// A unit that does not say where its code is may be anywhere.
bool SourceReader::is_wanted(Dwarf_Die& top) {
  const std::size_t first = units_.size();
  bool wanted = false;
  Dwarf_Addr base = 0, low = 0, high = 0;
  for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&top, at, &base, &low, &high)) > 0 && units_.size() <= kMostUnits;) {
    if (low >= high || !is_code(low) || !is_code(high - 1)) continue;  // the linker left it out
    units_.push_back({low, high});
    const auto next = std::ranges::lower_bound(addresses_, low);
    wanted = wanted || (next != addresses_.end() && *next < high);
  }
  wanted = wanted || units_.size() == first;
  for (std::size_t i = first; i < units_.size(); ++i) units_[i].read = wanted;
  return wanted;
}

bool SourceReader::read_rows(Dwarf_Die& top) {
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (dwarf_getsrclines(&top, &lines, &count) != 0) return true;  // it has none
  if (steps_.size() + count > kMostRows) return false;
  bool begun = false;
  for (std::size_t i = 0; i < count; ++i) {
    Dwarf_Line* line = dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    int number = 0;
    bool end = false;
    if (!line || dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0 ||
        dwarf_lineendsequence(line, &end) != 0)
      return false;
    if (!is_code(end ? address - 1 : address)) continue;  // the linker left it out
    if (end) {
      steps_.push_back({{address, 0, 0}, true});
      begun = false;
      continue;
    }
    const char* path = dwarf_linesrc(line, nullptr, nullptr);
    const bool known = path && number > 0;
    const SourceLines::Row row{address, known ? file_of(path) : 0, known ? static_cast<std::uint32_t>(number) : 0};
    if (begun && steps_.back().row.file == row.file && steps_.back().row.line == row.line) continue;
    steps_.push_back({row, false});
    begun = true;
  }
  return out_.texts_.size() <= kMostText;
}

bool SourceReader::add_inlined(Dwarf_Die& die, Within& within) {
  if (out_.inlined_.size() >= kMostInlined || within.depth >= kMostWithin) return false;
  SourceLines::Inlined inlined;
  inlined.function = name_of(die);
  inlined.within = within.inlined;
  Dwarf_Attribute attribute;
  Dwarf_Word line = 0, file = 0;
  if (dwarf_attr(&die, DW_AT_call_line, &attribute) && dwarf_formudata(&attribute, &line) == 0 &&
      dwarf_attr(&die, DW_AT_call_file, &attribute) && dwarf_formudata(&attribute, &file) == 0) {
    Dwarf_Die unit;
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    if (dwarf_diecu(&die, &unit, nullptr, nullptr) && dwarf_getsrcfiles(&unit, &files, &count) == 0 && file < count) {
      const char* path = dwarf_filesrc(files, file, nullptr, nullptr);
      if (path && line <= UINT32_MAX) {
        inlined.file = file_of(path);
        inlined.line = static_cast<std::uint32_t>(line);
      }
    }
  }
  out_.inlined_.push_back(inlined);
  within.inlined = static_cast<std::uint32_t>(out_.inlined_.size());
  ++within.depth;
  Dwarf_Addr base = 0, low = 0, high = 0;
  for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &low, &high)) > 0;) {
    if (ranges_.size() >= kMostRanges) return false;
    if (low < high && is_code(low) && is_code(high - 1)) ranges_.push_back({low, high, within.depth, within.inlined});
  }
  return out_.texts_.size() <= kMostText;
}

bool SourceReader::read_entry(Dwarf_Die& die, Within within, int depth) {
  switch (dwarf_tag(&die)) {
    case DW_TAG_subprogram: {
      // What is inlined everywhere has no code of its own, and what is in it no place.
      Dwarf_Addr base = 0, low = 0, high = 0;
      return dwarf_ranges(&die, 0, &base, &low, &high) <= 0 || read_children(die, {}, depth);
    }
    case DW_TAG_inlined_subroutine:
      return add_inlined(die, within) && read_children(die, within, depth);
    case DW_TAG_lexical_block:
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
      return read_children(die, within, depth);
    default:
      return true;
  }
}

bool SourceReader::read_children(Dwarf_Die& parent, Within within, int depth) {
  if (depth >= kDeepest) return false;
  Dwarf_Die die;
  const int has = dwarf_child(&parent, &die);
  if (has != 0) return has > 0;
  int next = 0;
  do {
    if (!read_entry(die, within, depth + 1)) return false;
  } while ((next = dwarf_siblingof(&die, &die)) == 0);
  return next > 0;
}

void SourceReader::put_rows() {
  // The last of several rows of one address counts; where one sequence ends, another may begin.
  std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) {
    return std::tuple(a.row.address, !a.end) < std::tuple(b.row.address, !b.end);
  });
  for (const Step& step : steps_) {
    if (!out_.rows_.empty() && out_.rows_.back().address == step.row.address)
      out_.rows_.back() = step.row;
    else
      out_.rows_.push_back(step.row);
  }
  out_.rows_.shrink_to_fit();
}

// Ranges within ranges become spans, each with the innermost one.
void SourceReader::put_spans() {
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) {
    return std::tuple(a.low, a.depth, b.high) < std::tuple(b.low, b.depth, a.high);
  });
  std::vector<Range> open;
  const auto put = [&](std::uint64_t address, std::uint32_t inlined) {
    if (!out_.spans_.empty() && out_.spans_.back().address == address)
      out_.spans_.back().inlined = inlined;
    else
      out_.spans_.push_back({address, inlined, 0});
  };
  const auto close_until = [&](std::uint64_t address) {
    while (!open.empty() && open.back().high <= address) {
      const std::uint64_t end = open.back().high;
      open.pop_back();
      put(end, open.empty() ? 0 : open.back().inlined);
    }
  };
  for (Range range : ranges_) {
    close_until(range.low);
    if (!open.empty()) range.high = std::min(range.high, open.back().high);
    open.push_back(range);
    put(range.low, range.inlined);
  }
  close_until(UINT64_MAX);
  out_.spans_.shrink_to_fit();
}

// An address in several units is in one that was read, if one of them was.
void SourceReader::put_parts() {
  struct Edge {
    std::uint64_t address = 0;
    int read = 0, left_out = 0;
  };
  std::vector<Edge> edges;
  for (const UnitRange& unit : units_) {
    edges.push_back({unit.low, unit.read, !unit.read});
    edges.push_back({unit.high, -static_cast<int>(unit.read), -static_cast<int>(!unit.read)});
  }
  std::ranges::sort(edges, {}, &Edge::address);
  int read = 0, left_out = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    read += edges[i].read;
    left_out += edges[i].left_out;
    if (i + 1 < edges.size() && edges[i + 1].address == edges[i].address) continue;
    const std::uint32_t now = read == 0 && left_out > 0;
    if (out_.parts_.empty() ? now == 0 : out_.parts_.back().left_out == now) continue;
    out_.parts_.push_back({edges[i].address, now, 0});
  }
  out_.parts_.shrink_to_fit();
}

SourceFile::SourceFile(ElfFile file, std::uint64_t most)
    : file_(std::move(file)), inflated_(inflated_size(file_)), dwarf_(open_dwarf(file_, most)) {}

SourceLines SourceFile::lines(std::span<const std::uint64_t> addresses) const {
  return dwarf_ ? SourceReader::lines_of(file_, *dwarf_, {addresses.begin(), addresses.end()}) : SourceLines();
}

}  // namespace tailcap::capture::symbols
