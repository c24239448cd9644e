// The input of reading a target's file: the file itself, by a descriptor as in the reading process (libelf and libdw
// read only from one), and the answer to the recorder, which must not trust it. The first byte selects one.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "capture/scan/opener.h"
#include "capture/scan/requests.h"
#include "capture/symbols/go/go_dwarf.h"

namespace {

using namespace tailcap::capture;

void check(bool holds) {
  if (!holds) std::abort();
}

class File {
 public:
  explicit File(const std::string& bytes) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    check(descriptor_ >= 0 && write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~File() { close(descriptor_); }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

void use(const symbols::CodeNames& names) {
  for (const std::uint64_t at : {0x0ull, 0x40ull, 0x1000ull, 0x1001ull, 0x123456ull, ~0ull}) names.at(at);
  names.memory();
}

// The kernel program searches them.
void use(const symbols::UnwindRules& rules) {
  for (std::size_t i = 1; i < rules.rows().size(); ++i) check(rules.rows()[i - 1].pc < rules.rows()[i].pc);
}

void use(scan::FilePlan plan) {
  go::Names names;
  names.add(1, plan.program, std::move(plan.tables));
  for (const std::uint16_t number : {0, 1, 7, 65535}) {
    names.handler(1, number, 0x1000, 0x1000);
    names.function(1, number, 0x1000, 0x1234, number % 2);
    names.wait_reason(1, static_cast<std::uint8_t>(number));
  }
}

void read_structures(const std::string& bytes) {
  static constexpr std::array kWanted = {symbols::GoMember{"runtime.g", "goid"},
                                         symbols::GoMember{"runtime.m", "curg"}};
  const File file(bytes);
  try {
    const auto found = symbols::go_members(symbols::ElfFile::from_descriptor(dup(file.get()), "fuzz"), kWanted);
    check(found.empty() || found.size() == kWanted.size());
  } catch (const std::runtime_error&) {
    // no ELF file
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 0:
      if (auto plan = scan::decode_plan(rest, 1)) use(*std::move(plan));
      break;
    case 1:
      if (const auto names = scan::decode_names(rest)) use(*names);
      break;
    case 2:
      scan::decode_reply(rest);
      break;
    case 3: {
      // An honest answer is understood.
      auto plan =
          scan::decode_plan(scan::answer(scan::encode({"fuzz", true, true, true, true, 1}), File(rest).get()), 1);
      check(plan.has_value());
      use(*std::move(plan));
      break;
    }
    case 4: {
      const std::string answer = scan::answer(scan::encode_names_request(), File(rest).get());
      const auto names = scan::decode_names(answer);
      check(answer.empty() || names.has_value());
      if (names) use(*names);
      break;
    }
    case 5:
      check(scan::decode_build_id(scan::answer(scan::encode_build_id_request(), File(rest).get())).has_value());
      break;
    case 6:
      read_structures(rest);
      break;
    case 7:
      if (const auto rules = scan::decode_unwind_rules(rest)) use(*rules);
      break;
    case 8: {
      const std::string answer = scan::answer(scan::encode_unwind_rules_request(), File(rest).get());
      const auto rules = scan::decode_unwind_rules(answer);
      check(answer.empty() || rules.has_value());
      if (rules) use(*rules);
      break;
    }
    case 9:
      scan::decode_scripts(rest);
      break;
    case 10: {
      const std::string answer = scan::answer(scan::encode_scripts_request(), File(rest).get());
      check(answer.empty() || scan::decode_scripts(answer).has_value());
      break;
    }
    case 11:
      if (const auto map = scan::decode_perf_map(rest)) map->at(0x1000);
      break;
    case 12: {
      const std::string answer = scan::answer(scan::encode_perf_map_request(getuid()), File(rest).get());
      check(scan::decode_perf_map(answer).has_value());
      break;
    }
    case 13:
      if (const auto names = scan::decode_variables(rest)) names->behind(0x1000, 0x3010);
      break;
    case 14: {
      const std::string answer = scan::answer(scan::encode_variables_request(), File(rest).get());
      check(answer.empty() || scan::decode_variables(answer).has_value());
      break;
    }
    default:
      scan::answer(rest, File(rest).get());
  }
  return 0;
}
