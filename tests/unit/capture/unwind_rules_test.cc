// Rows for the kernel's walk of stacks, against what readelf says of the files that this machine runs.
#include "capture/symbols/unwind_rules.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>

namespace tailcap::capture::symbols {
namespace {

const bpf::unwind_row* row_at(const UnwindRules& rules, std::uint64_t pc) {
  const auto& rows = rules.rows();
  const auto next = std::upper_bound(rows.begin(), rows.end(), pc,
                                     [](std::uint64_t at, const bpf::unwind_row& row) { return at < row.pc; });
  return next == rows.begin() ? nullptr : &*(next - 1);
}

// "rsp+8", "exp", "c-16", "u": whether the row says the same as readelf's columns.
bool agrees(const bpf::unwind_row& row, const std::string& cfa, const std::string& rbp, const std::string& back) {
  if (back == "u") return row.how == bpf::UNWIND_START;
  if (back != "c-8") return row.how == bpf::UNWIND_NO_RULE || row.how == bpf::UNWIND_SIGNAL;
  if (cfa == "exp") {
    if (row.how == bpf::UNWIND_NO_RULE) return true;
    if (row.how != bpf::UNWIND_PLT && row.how != bpf::UNWIND_AT_RBP) return false;
  } else {
    const auto plus = cfa.find('+');
    const std::string base = cfa.substr(0, plus);
    const int offset = plus == cfa.npos ? 0 : std::stoi(cfa.substr(plus + 1));
    if (base != "rsp" && base != "rbp") return row.how == bpf::UNWIND_NO_RULE;
    if (row.how != (base == "rsp" ? bpf::UNWIND_RSP : bpf::UNWIND_RBP) || 8 * row.cfa != offset) return false;
  }
  if (rbp == "u" || rbp == "s") return row.rbp == UNWIND_RBP_SAME;
  if (rbp.starts_with("c-")) return 8 * row.rbp == std::stoi(rbp.substr(2));
  return row.rbp == UNWIND_RBP_AT_RBP || row.rbp == UNWIND_RBP_UNKNOWN;
}

struct Compared {
  std::size_t rows = 0, different = 0;
  std::map<int, std::size_t> how;
  std::string first;  // difference
};

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

Compared compare(const std::string& path) {
  Compared result;
  const UnwindRules rules(ElfFile::open(path));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> text(
      popen(("readelf --debug-dump=frames-interp '" + path + "' 2> /dev/null").c_str(), "r"), pclose);
  std::vector<std::string> columns;
  std::uint64_t end = 0;
  bool function = false;
  char buffer[1024];
  while (text && std::fgets(buffer, sizeof buffer, text.get())) {
    const std::string line(buffer);
    const auto parts = words(line);
    if (line.find(" CIE ") != line.npos || line.find("Contents of") != line.npos) {
      function = false;
    } else if (const auto at = line.find(" FDE "); at != line.npos) {
      function = true;
      end = std::stoull(line.substr(line.find("..", at) + 2), nullptr, 16);
      columns.clear();
    } else if (!function || parts.empty()) {
      continue;
    } else if (parts[0] == "LOC") {
      columns = parts;
    } else if (parts.size() == columns.size()) {  // registers kept in registers make two words
      const std::uint64_t pc = std::stoull(parts[0], nullptr, 16);
      const auto column = [&](const char* name) {
        const auto found = std::find(columns.begin(), columns.end(), name);
        return found == columns.end() ? std::string("u") : parts[static_cast<std::size_t>(found - columns.begin())];
      };
      if (pc >= end) continue;
      const bpf::unwind_row* row = row_at(rules, pc);
      result.rows++;
      if (row) result.how[row->how]++;
      if (row && agrees(*row, column("CFA"), column("rbp"), column("ra"))) continue;
      if (result.different++ == 0) result.first = line;
    }
  }
  return result;
}

std::string libc() {
  for (const char* path : {"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return "";
}

TEST(UnwindRules, OfTheCLibraryAreThoseOfReadelf) {
  ASSERT_NE(libc(), "");
  const Compared result = compare(libc());
  EXPECT_GT(result.rows, 10'000u) << "is readelf (binutils) there?";
  EXPECT_EQ(result.different, 0u) << result.first;
  EXPECT_GT(result.how.at(bpf::UNWIND_RSP), 1000u);
  EXPECT_GT(result.how.at(bpf::UNWIND_RBP), 10u);
  EXPECT_GE(result.how.at(bpf::UNWIND_PLT), 1u);
  EXPECT_GE(result.how.at(bpf::UNWIND_START), 1u) << "clone3";
  EXPECT_EQ(result.how.at(bpf::UNWIND_SIGNAL), 1u) << "__restore_rt";
}

TEST(UnwindRules, OfServersAreThoseOfReadelf) {
  std::vector<std::string> paths = {"/proc/self/exe"};
  for (const char* path : {"/usr/bin/python3", "/usr/sbin/nginx", "/usr/lib/postgresql/15/bin/postgres",
                           "/lib/x86_64-linux-gnu/libpython3.11.so.1.0", "/lib/x86_64-linux-gnu/libssl.so.3"}) {
    if (std::filesystem::exists(path)) paths.push_back(std::filesystem::canonical(path));
  }
  paths[0] = std::filesystem::read_symlink(paths[0]);
  for (const std::string& path : paths) {
    if (path == paths[0] && std::filesystem::file_size(path) > 400u << 20) continue;  // readelf takes minutes
    const Compared result = compare(path);
    EXPECT_GT(result.rows, 1000u) << path;
    EXPECT_EQ(result.different, 0u) << path << ": " << result.first;
  }
}

TEST(UnwindRules, SurviveTheirWay) {
  const UnwindRules rules(ElfFile::open(libc()));
  scan::Encoder out;
  rules.encode(out);
  const std::string bytes = out.take();
  scan::Decoder in(bytes);
  const UnwindRules told = UnwindRules::decode(in);
  EXPECT_TRUE(in.done());
  ASSERT_EQ(told.rows().size(), rules.rows().size());
  EXPECT_TRUE(std::equal(rules.rows().begin(), rules.rows().end(), told.rows().begin(), [](auto& a, auto& b) {
    return a.pc == b.pc && a.how == b.how && a.rbp == b.rbp && a.cfa == b.cfa;
  }));
  ASSERT_EQ(told.code().size(), rules.code().size());
}

TEST(UnwindRules, RowsThatAreNotInOrderAreNoAnswer) {
  const bpf::unwind_row rows[] = {{0x2000, bpf::UNWIND_RSP, 0, 1}, {0x1000, bpf::UNWIND_RSP, 0, 1}};
  scan::Encoder out;
  out.number(std::uint64_t{0});
  out.text({reinterpret_cast<const char*>(rows), sizeof rows});
  const std::string bytes = out.take();
  scan::Decoder in(bytes);
  UnwindRules::decode(in);
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace tailcap::capture::symbols
