#include "capture/go/layout.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "capture/symbols/go/go_dwarf.h"

namespace tailcap::capture::go {

using symbols::ElfFile;
using symbols::GoFunction;
using symbols::GoFunctions;

namespace {

struct Release {
  std::string_view version;
  std::uint16_t number, parent;
};

// g.goid and g.parentGoid. 1.19 and 1.21 to 1.23 from the debugging information of programs built with them; the others
// from all goroutines of running programs (1.20.12, 1.24.2, 1.25.7, 1.26.5): numbers that differ, from 1 on, and of
// parents that are among them.
constexpr std::array kKnownReleases = {
    Release{"1.19", 152, 0},   Release{"1.20", 152, 0},   Release{"1.21", 152, 272}, Release{"1.22", 152, 272},
    Release{"1.23", 160, 280}, Release{"1.24", 160, 280}, Release{"1.25", 152, 272}, Release{"1.26", 152, 280},
};

constexpr std::uint64_t kMaxEntryCode = 4096;

template <class T>
std::optional<T> take(std::string_view code, std::size_t at) {
  T value;
  if (at + sizeof value > code.size()) return std::nullopt;
  std::memcpy(&value, code.data() + at, sizeof value);
  return value;
}

#if defined(__aarch64__)
// The beginning of runtime.systemstack (asm_arm64.s): g is in x28, and nothing needs a place in the thread's memory.
//   ldr x4, [x28, g.m]; ldr x5, [x4, m.gsignal]; cmp; b.eq; ldr x5, [x4, m.g0]; cmp; b.eq; ldr x6, [x4, m.curg]
bool read_system_stack(std::string_view code, Layout& layout) {
  const auto loads = [&](std::size_t at, std::uint32_t from, std::uint32_t& to) -> std::optional<std::uint64_t> {
    const auto word = take<std::uint32_t>(code, at);
    if (!word || (*word & 0xffc00000) != 0xf9400000 || (*word >> 5 & 31) != from) return std::nullopt;
    to = *word & 31;
    return std::uint64_t{*word >> 10 & 0xfff} * 8;
  };
  const auto leaves = [&](std::size_t at) {  // cmp with x28, b.eq
    const auto compares = take<std::uint32_t>(code, at), branches = take<std::uint32_t>(code, at + 4);
    return compares && branches && (*compares & 0xffe0001f) == 0xeb00001f &&
           ((*compares >> 16 & 31) == 28 || (*compares >> 5 & 31) == 28) && (*branches & 0xff00001f) == 0x54000000;
  };
  constexpr std::uint32_t kGoroutine = 28;
  for (std::size_t at = 0; at + 32 <= code.size(); at += 4) {
    std::uint32_t m = 0, other = 0;
    const auto thread = loads(at, kGoroutine, m);
    if (!thread || !loads(at + 4, m, other) || !leaves(at + 8) || loads(at + 16, m, other) != 0u || !leaves(at + 20))
      continue;
    const auto current = loads(at + 28, m, other);
    if (!current || *thread > 127 || *current > 4096 || *current == 0) continue;
    layout.slot = -1;
    layout.thread = static_cast<std::uint16_t>(*thread);
    layout.current = static_cast<std::uint16_t>(*current);
    return true;
  }
  return false;
}

// What runtime.mcall puts away is not read: preempted goroutines have no stacks.
void read_saved(std::string_view, Layout&) {}
#else
bool skip(std::string_view code, std::size_t& at, std::string_view bytes) {
  if (!code.substr(std::min(at, code.size())).starts_with(bytes)) return false;
  at += bytes.size();
  return true;
}

// mov reg, fs:[slot]; or mov rcx, slot; mov rax, fs:[rcx]
std::optional<std::int64_t> read_slot(std::string_view code, std::size_t& at) {
  using namespace std::string_view_literals;
  std::size_t here = at;
  if (skip(code, here, "\x64\x48\x8b\x04\x25"sv)) {
    const auto slot = take<std::int32_t>(code, here);
    at = here + 4;
    return slot;
  }
  if (skip(code, here, "\x48\xc7\xc1"sv)) {
    const auto slot = take<std::int32_t>(code, here);
    here += 4;
    if (!skip(code, here, "\x64\x48\x8b\x01"sv)) return std::nullopt;
    at = here;
    return slot;
  }
  return std::nullopt;
}

// The beginning of runtime.systemstack (asm_amd64.s), the same since Go 1.17:
//   mov rax, g; mov rbx, g.m; cmp rax, m.gsignal; je …; mov rdx, m.g0; cmp rax, rdx; je …; cmp rax, m.curg
bool read_system_stack(std::string_view code, Layout& layout) {
  using namespace std::string_view_literals;
  for (std::size_t start = 0; start < code.size(); start++) {
    std::size_t at = start;
    const auto slot = read_slot(code, at);
    if (!slot) continue;
    if (!skip(code, at, "\x48\x8b\x58"sv)) continue;
    const auto thread = take<std::uint8_t>(code, at++);
    if (!skip(code, at, "\x48\x3b\x43"sv)) continue;
    at++;  // m.gsignal
    if (!skip(code, at, "\x74"sv)) continue;
    at++;
    if (!skip(code, at, "\x48\x8b\x13\x48\x39\xd0\x74"sv)) continue;
    at++;
    if (!skip(code, at, "\x48\x3b\x83"sv)) continue;
    const auto current = take<std::uint32_t>(code, at);
    if (!thread || *thread > 127 || !current || *current > 4096 || *slot < INT16_MIN || *slot >= 0) continue;
    layout.slot = static_cast<std::int16_t>(*slot);
    layout.thread = *thread;
    layout.current = static_cast<std::uint16_t>(*current);
    return true;
  }
  return false;
}

// runtime.mcall puts away, in this order, where its caller goes on, its stack and frame pointer:
//   mov g.sched.pc, rbx; mov g.sched.sp, rbx; mov g.sched.bp, rbx or rbp
void read_saved(std::string_view code, Layout& layout) {
  using namespace std::string_view_literals;
  std::array<std::uint8_t, 3> stores{};
  std::size_t found = 0;
  for (std::size_t at = 0; at + 4 <= code.size() && found < stores.size(); at++) {
    const std::string_view store = code.substr(at, 3);
    if (store == "\x49\x89\x5e"sv || (found == 2 && store == "\x49\x89\x6e"sv))
      stores[found++] = static_cast<std::uint8_t>(code[at + 3]);
  }
  const auto [pc, sp, frame] = stores;
  if (found < stores.size() || frame > 127 || sp < 16 || pc != sp + 8 || (frame != sp + 40 && frame != sp + 48)) return;
  layout.saved = sp;
  layout.saved_frame = frame;
}
#endif

bool plausible(std::uint64_t offset) { return offset >= 16 && offset < 1024 && offset % 8 == 0; }

// Without any of these, all stay 0.
void read_number_source(const ElfFile& file, std::uint64_t sched, Layout& layout) {
  static constexpr std::array kWanted = {symbols::GoMember{"runtime.m", "p"}, symbols::GoMember{"runtime.m", "oldp"},
                                         symbols::GoMember{"runtime.p", "goidcache"},
                                         symbols::GoMember{"runtime.p", "goidcacheend"},
                                         symbols::GoMember{"runtime.schedt", "goidgen"}};
  const auto found = symbols::go_members(file, kWanted);
  if (sched == 0 || found.size() != kWanted.size()) return;
  for (const auto& offset : found)
    if (!offset || *offset > UINT16_MAX || *offset % 8 != 0) return;
  if (*found[0] == 0 || *found[1] == 0 || *found[2] == 0 || *found[3] != *found[2] + 8) return;
  layout.processor = static_cast<std::uint16_t>(*found[0]);
  layout.former = static_cast<std::uint16_t>(*found[1]);
  layout.batch = static_cast<std::uint16_t>(*found[2]);
  layout.generation = sched + *found[4];
}

// False: the program does not say.
bool read_debugging_information(const ElfFile& file, Layout& layout, std::string& disagrees) {
  static constexpr std::array kWanted = {symbols::GoMember{"runtime.g", "goid"}, symbols::GoMember{"runtime.g", "m"},
                                         symbols::GoMember{"runtime.m", "curg"},
                                         symbols::GoMember{"runtime.g", "parentGoid"}};
  const auto found = symbols::go_members(file, kWanted);
  if (found.empty() || !found[0] || !plausible(*found[0])) return false;
  if (found[1] != layout.thread || found[2] != layout.current) {
    disagrees = "its debugging information is not of this code";
    return false;
  }
  layout.number = static_cast<std::uint16_t>(*found[0]);
  layout.parent = found[3] && plausible(*found[3]) ? static_cast<std::uint16_t>(*found[3]) : 0;
  layout.from = "DWARF";
  return true;
}

}  // namespace

std::string_view release_of(std::string_view version) {
  version = version.substr(0, version.find(' '));  // behind it: which experiments were switched on
  if (!version.starts_with("go1.")) return {};
  const std::string_view numbers = version.substr(2);
  if (numbers.find_first_not_of("0123456789.") != numbers.npos) return {};
  return numbers.substr(0, numbers.find('.', 2));
}

Layout find_layout(const ElfFile& file, const GoFunctions& functions, const std::string& version, std::uint64_t sched) {
  static constexpr std::string_view kSystemStack[] = {"runtime.systemstack"};
  static constexpr std::string_view kFromC[] = {"crosscall2"};
  static constexpr std::string_view kSwitch[] = {"runtime.mcall"};
  Layout layout;
  for (const GoFunction& function : functions.find(kSystemStack)) {
    if (read_system_stack(file.read_address(function.address, function.size, kMaxEntryCode), layout)) break;
  }
  if (layout.slot == 0) {
    layout.problem = "where this program keeps the running goroutine is not understood";
    return layout;
  }
  for (const GoFunction& function : functions.find(kSwitch)) {
    if (layout.saved == 0) read_saved(file.read_address(function.address, function.size, kMaxEntryCode), layout);
  }
  layout.c_code = !functions.find(kFromC).empty();
  if (read_debugging_information(file, layout, layout.problem)) {
    if (layout.parent != 0) read_number_source(file, sched, layout);
    return layout;
  }
  if (!layout.problem.empty()) return layout;
  const auto release = std::find_if(kKnownReleases.begin(), kKnownReleases.end(),
                                    [&](const Release& r) { return r.version == release_of(version); });
  if (release == kKnownReleases.end()) {
    layout.problem =
        (version.empty() ? std::string("its version of Go is not known") : version + " is not in the table") +
        ", and the program has no DWARF";
    return layout;
  }
  layout.number = release->number;
  layout.parent = release->parent;
  layout.from = "table";
  return layout;
}

}  // namespace tailcap::capture::go
