#include "capture/go/channels.h"

#include <algorithm>

#include "bpf/event.h"
#include "capture/go/known_functions.h"
#include "capture/symbols/function_graph.h"

namespace tailcap::capture::go {

using namespace bpf;
using symbols::CallConvention;
using symbols::FunctionGraph;
using symbols::GoFunction;
using symbols::Place;

namespace {

// The offsets of the lock and the buffer's indices in runtime.hchan. The kernel program checks that the indices agree
// with the count of values, so that a wrong offset is not trusted.
std::uint16_t number_for(std::string_view release) {
  static constexpr std::array<std::string_view, 4> kFirst = {"1.19", "1.20", "1.21", "1.22"};
  static constexpr std::array<std::string_view, 2> kWithTimer = {"1.23", "1.24"};
  static constexpr std::array<std::string_view, 2> kWithBubble = {"1.25", "1.26"};
  const auto in = [&](const auto& releases) {
    return std::find(releases.begin(), releases.end(), release) != releases.end();
  };
  if (in(kFirst)) return GO_CHANNEL_NUMBER(88, 40);
  if (in(kWithTimer)) return GO_CHANNEL_NUMBER(96, 48);
  if (in(kWithBubble)) return GO_CHANNEL_NUMBER(104, 48);
  return 0;
}

class Finder {
 public:
  Finder(const symbols::ElfFile& file, const std::vector<GoFunction>& found, const symbols::ProbePlacer& placer,
         ChannelPlaces& out)
      : file_(file), found_(found), placer_(placer), out_(out) {}

  // The linker leaves out what a program does not use.
  void run() {
    const bool sends = function("runtime.chansend") || function("runtime.selectgo");
    const bool receives = function("runtime.chanrecv") || function("runtime.selectgo");
    if (sends) entry("runtime.send", GO_GIVES);
    if (receives) entry("runtime.recv", GO_FETCHES);
    unlock_behind_copy("runtime.chansend", GO_PUT);
    unlock_behind_copy("runtime.chanrecv", GO_TOOK);
    copies_of_select();
    if (!out_.problem.empty()) out_.all.clear();
  }

 private:
  void fail(std::string_view name, const char* why) {
    out_.problem += (out_.problem.empty() ? "" : ", ") + std::string(name) + " " + why;
  }

  const GoFunction* function(std::string_view name) const {
    const GoFunction* best = nullptr;
    for (const GoFunction& candidate : found_)
      if (candidate.name == name && (!best || candidate.size > best->size)) best = &candidate;
    return best;
  }

  void entry(std::string_view name, go_act act) {
    const GoFunction* f = function(name);
    if (!f) return fail(name, "is missing");
    const auto chosen = placer_.place({f->address, f->size}, {CallConvention::go_registers, 2, 0}).entry;
    if (!chosen.place || (chosen.skip_when_taken && chosen.condition != kBelowOrEqual))
      return fail(name, "offers no place");
    out_.all.push_back({*f, *chosen.place, static_cast<std::uint8_t>(act), chosen.skip_when_taken});
  }

  FunctionGraph graph_of(const GoFunction& f) const {
    symbols::FunctionCode code;
    code.parts.push_back({f.address, file_.read_address(f.address, f.size, kMaxCode)});
    return FunctionGraph(std::move(code));
  }

  static std::vector<std::uint32_t> calls(const FunctionGraph& graph, const GoFunction& to) {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < graph.nodes().size(); i++) {
      const auto& instruction = graph.nodes()[i].instruction;
      if (instruction.flow == symbols::Flow::call && instruction.target == to.address) found.push_back(i);
    }
    return found;
  }

  void add(const GoFunction& f, const FunctionGraph& graph, std::uint32_t node, go_act act) {
    const auto& call = graph.nodes()[node].instruction;
    const auto price = call.emulated ? symbols::Price::emulated : symbols::Price::single_stepped;
    out_.all.push_back(
        {f, Place{call.address, price, graph.text(node), std::nullopt, false}, static_cast<std::uint8_t>(act), false});
  }

  // The other ends of these functions do not come by the one copy that they make of a value.
  void unlock_behind_copy(std::string_view name, go_act act) {
    const GoFunction *f = function(name), *copy = function("runtime.typedmemmove"),
                     *unlock = function("runtime.unlock2");
    if (!f) return;
    if (!copy || !unlock) return fail(name, "does not copy where it used to");
    const FunctionGraph graph = graph_of(*f);
    const auto copies = calls(graph, *copy);
    if (!graph.whole() || copies.size() != 1) return fail(name, "does not copy where it used to");
    auto unlocks = calls(graph, *unlock);
    std::erase_if(unlocks, [&](std::uint32_t node) { return !graph.reaches(copies[0], node); });
    if (unlocks.size() != 1 || graph.reaches(unlocks[0], copies[0]))
      return fail(name, "does not unlock where it used to");
    add(*f, graph, unlocks[0], act);
  }

  // A value that is taken is copied and then cleared; one that is put is copied only.
  void copies_of_select() {
    constexpr std::string_view name = "runtime.selectgo";
    const GoFunction *f = function(name), *copy = function("runtime.typedmemmove"),
                     *clear = function("runtime.typedmemclr");
    if (!f) return;
    if (!copy || !clear) return fail(name, "does not copy where it used to");
    const FunctionGraph graph = graph_of(*f);
    const auto copies = calls(graph, *copy), clears = calls(graph, *clear);
    const auto cleared = [&](std::uint32_t node) {
      return std::any_of(clears.begin(), clears.end(), [&](std::uint32_t to) { return graph.reaches(node, to); });
    };
    if (!graph.whole() || copies.size() != 2 || cleared(copies[0]) == cleared(copies[1]))
      return fail(name, "does not copy where it used to");
    for (const std::uint32_t node : copies) add(*f, graph, node, cleared(node) ? GO_SELECT_TAKES : GO_SELECT_PUTS);
  }

  const symbols::ElfFile& file_;
  const std::vector<GoFunction>& found_;
  const symbols::ProbePlacer& placer_;
  ChannelPlaces& out_;
};

}  // namespace

ChannelPlaces find_channel_places(const symbols::ElfFile& file, const std::vector<GoFunction>& found,
                                  const symbols::ProbePlacer& placer, std::string_view release) {
  ChannelPlaces out;
#if defined(__aarch64__)
  out.problem = "where runtime.selectgo keeps them on arm64 is not known";
  return out;
#endif
  out.number = number_for(release);
  if (out.number == 0) {
    out.problem = "not known of this version of Go";
    return out;
  }
  Finder(file, found, placer, out).run();
  return out;
}

}  // namespace tailcap::capture::go
