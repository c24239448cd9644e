#include "capture/symbolize/symbolize.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "capture/symbolize/symbolizer.h"
#include "formats/event.h"
#include "formats/file/copied_event.h"
#include "formats/file/marker.h"
#include "formats/file/reader.h"
#include "formats/file/writer.h"
#include "formats/not_itself.h"
#include "formats/printable.h"

namespace tailcap::capture::symbolize {

using namespace formats;

namespace {

constexpr int kSymbolizeDone = 0, kSymbolizeFailed = 1, kSymbolizeIncomplete = 3, kNothingNamed = 4;
constexpr std::size_t kMostListed = 20;

struct Order {
  std::string in, out;
  bool overwrite = false;
  std::vector<std::string> folders;
};

std::string count(std::uint64_t n, const char* one, const char* several) {
  return std::to_string(n) + " " + (n == 1 ? one : several);
}

void print_files(const DebugFiles& files) {
  std::vector<const DebuggedFile*> missing;
  for (const auto& [id, file] : files.all()) {
    if (!file.names || !file.problem.empty()) missing.push_back(&file);
  }
  if (missing.empty()) return;
  std::ranges::stable_sort(missing, [](const auto* a, const auto* b) { return a->frames > b->frames; });
  std::printf("%s of %s files have no debug information in these folders:\n", std::to_string(missing.size()).c_str(),
              std::to_string(files.all().size()).c_str());
  for (std::size_t i = 0; i < missing.size() && i < kMostListed; ++i) {
    const DebuggedFile& file = *missing[i];
    std::printf("  %s %s, %s%s\n", printable(file.build_id).c_str(), printable(file.name).c_str(),
                count(file.frames, "frame", "frames").c_str(),
                file.problem.empty() ? "" : (": " + printable(file.problem)).c_str());
  }
  if (missing.size() > kMostListed) std::printf("  and %zu more\n", missing.size() - kMostListed);
}

void print_result(const Order& order, const Symbolizer& symbolizer, const DebugFiles& files, bool written) {
  const SymbolizedFrames& frames = symbolizer.frames();
  if (frames.asked == 0) {
    std::printf("%s: no frame of its stacks needs a name\n", printable(order.in).c_str());
  } else {
    std::printf("%s: of %s without a line, %s another name, %s a line; %s added\n",
                printable(written ? order.out : order.in).c_str(), count(frames.asked, "frame", "frames").c_str(),
                count(frames.named, "has", "have").c_str(), count(frames.lined, "has", "have").c_str(),
                count(frames.inlined, "inlined function was", "inlined functions were").c_str());
    print_files(files);
  }
  if (!written) std::printf("%s was not written\n", printable(order.out).c_str());
}

// The number of events that were written; all of them end up in OUT only if this returns.
int symbolize(const Order& order) {
  refuse_itself(order.in, order.out);
  if (const Marker marker = marker_of(order.in); marker.preamble || marker.footer)
    throw std::runtime_error(printable(order.in) +
                             " was redacted, and names that are added now are not: add them to the original, and "
                             "redact that");
  const scan::Processes processes;  // before the reader's threads
  DebugFiles files(processes, order.folders);
  Symbolizer symbolizer(files);
  Reader reader(order.in);
  Writer writer(order.out, reader.preamble(), order.overwrite, {.wait = true});
  const FileSummary summary = reader.summary();
  CaptureState state = CaptureState::complete;
  Time last = kNoTime;
  for (auto events = reader.next(); !events.empty(); events = reader.next()) {
    for (Event event : events) {
      const bool made = std::holds_alternative<Damage>(event.body) || std::holds_alternative<CaptureEnd>(event.body);
      if (made && !into_copy(event, true, &state)) continue;
      if (const auto* sample = std::get_if<Sample>(&event.body)) event.body = symbolizer.push(*sample);
      last = std::max(last, event.time);
      writer.push(event);
    }
  }
  const SymbolizedFrames& frames = symbolizer.frames();
  const bool any = frames.named + frames.lined + frames.inlined > 0;
  if (any) {
    writer.finish(last, state);
  } else {
    std::error_code error;
    std::filesystem::remove(order.out + ".partial", error);
  }
  print_result(order, symbolizer, files, any);
  if (!any) return kNothingNamed;
  return state == CaptureState::complete && summary.lost == 0 ? kSymbolizeDone : kSymbolizeIncomplete;
}

}  // namespace

int run_symbolize(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("tailcap-record symbolize is for `tailcap symbolize`, whose --help says more\n", stderr);
    return 2;
  }
  try {
    return symbolize({argv[1], argv[2], argv[3] == std::string_view("overwrite"), {argv + 4, argv + argc}});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tailcap symbolize: %s\n", printable_message(e.what()).c_str());
    return kSymbolizeFailed;
  }
}

}  // namespace tailcap::capture::symbolize
