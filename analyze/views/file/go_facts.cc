#include "analyze/views/file/go_facts.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::views {

namespace {

using formats::GoPart;

struct PartName {
  GoPart part;
  const char* name;  // as in --json
  const char* text;  // for people
};
constexpr PartName kParts[] = {{GoPart::goroutines, "goroutines", "goroutines"},
                               {GoPart::creation, "creation", "their creation"},
                               {GoPart::runtime, "runtime", "garbage collection"},
                               {GoPart::states, "states", "their states"},
                               {GoPart::handlers, "handlers", "handlers"},
                               {GoPart::calls, "calls", "callers of HTTP clients"},
                               {GoPart::ends, "ends", "their ends"},
                               {GoPart::panics, "panics", "panics"}};

bool has(std::uint8_t parts, GoPart part) { return (parts & static_cast<std::uint8_t>(part)) != 0; }

constexpr std::size_t kMaxBuilds = 8;

// The first words that Go writes. A program may hold anything else there; as a line of the listing it could pass for
// one of ours.
bool is_known(std::string_view word) {
  return word == "path" || word == "mod" || word == "dep" || word == "=>" || word == "build";
}

// Lines of fields with tabs between: "dep", "golang.org/x/net", "v0.7.0", "h1:…".
std::vector<std::vector<std::string>> fields_of(std::string_view build) {
  std::vector<std::vector<std::string>> out;
  for (std::size_t at = 0; at < build.size();) {
    const std::string_view line = build.substr(at, build.find('\n', at) - at);
    at += line.size() + 1;
    auto& fields = out.emplace_back();
    for (std::size_t from = 0; from <= line.size();) {
      const std::string_view field = line.substr(from, line.find('\t', from) - from);
      fields.emplace_back(field);
      from += field.size() + 1;
    }
  }
  return out;
}

}  // namespace

void GoFacts::push(std::uint32_t pid, const formats::GoProgram& program) {
  if (known_ >= kMaxKnown) return;
  const auto [entry, fresh] = programs_.try_emplace({std::string(program.path), std::string(program.version)});
  auto& known = entry->second;
  known.offsets_from = program.offsets_from;
  known.unsupported = program.unsupported;
  known.goid_offset = program.goid_offset;
  known.parts = program.parts;
  runs_[pid] = entry->first;
  known_ += (fresh ? 1 : 0) + (known.processes.insert(pid).second ? 1 : 0);
}

void GoFacts::push(std::uint32_t pid, const formats::GoBuild& build) {
  const auto runs = runs_.find(pid);
  if (runs == runs_.end()) return;
  auto& builds = programs_[runs->second].builds;
  const auto same = std::find(builds.begin(), builds.end(), build.lines);
  if (same == builds.end() && builds.size() < kMaxBuilds) builds.emplace_back(build.lines);
}

std::vector<std::string> GoFacts::lines() const {
  std::vector<std::string> out;
  for (const auto& [key, program] : programs_) {
    out.push_back(report::printable(key.first) + "  " +
                  (key.second.empty() ? std::string("version unknown") : report::printable(key.second)) + ", " +
                  report::count_text(program.processes.size(), "process", "processes"));
    std::string parts;
    for (const auto& part : kParts) {
      if (!has(program.parts, part.part)) continue;
      parts += (parts.empty() ? "" : ", ") + std::string(part.text);
      if (part.part == GoPart::goroutines) parts += " (by " + report::printable(program.offsets_from) + ")";
    }
    out.push_back("  recorded  " + (parts.empty() ? "nothing" : parts));
    if (!program.unsupported.empty()) out.push_back("  missing   " + report::printable(program.unsupported));
    std::size_t unknown = 0;
    for (const auto& build : program.builds)
      for (const auto& line : fields_of(build)) {
        if (!is_known(line[0])) {
          ++unknown;
          continue;
        }
        std::string text = report::printable(line[0]);
        text.resize(std::max<std::size_t>(text.size(), 8), ' ');
        for (std::size_t i = 1; i < line.size(); ++i) text += (i == 1 ? "  " : " ") + report::printable(line[i]);
        out.push_back("  " + text);
      }
    if (unknown > 0)
      out.push_back("  " + report::count_text(unknown, "line", "lines") +
                    " of build information of unknown form; --json has them");
  }
  return out;
}

std::vector<GoFacts::Listed> GoFacts::listed() const {
  std::vector<Listed> out;
  for (const auto& [key, program] : programs_) {
    Listed& one = out.emplace_back(Listed{report::printable(key.first),
                                          report::printable(key.second),
                                          report::printable(program.offsets_from),
                                          report::printable(program.unsupported),
                                          program.goid_offset,
                                          program.processes,
                                          {},
                                          {}});
    for (const auto& part : kParts)
      if (has(program.parts, part.part)) one.told.emplace_back(part.name);
    for (const auto& build : program.builds)
      for (auto& line : fields_of(build)) {
        for (auto& field : line) field = report::printable(field);
        one.build.push_back(std::move(line));
      }
  }
  return out;
}

}  // namespace tailcap::views
