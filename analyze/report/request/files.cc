#include "analyze/report/request/files.h"

#include <cstring>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "formats/event.h"

namespace tailcap::report {
namespace {

std::string_view act_text(formats::FileAct act) {
  constexpr std::string_view names[] = {"open", "read", "write", "sync"};
  const auto n = static_cast<std::size_t>(act);
  return n < std::size(names) ? names[n] : "unknown";
}

// The number of the error that the call returned; 0: none, or not known.
int error_of(const model::FileCall& f) { return f.result < 0 && f.result > -4096 ? static_cast<int>(-f.result) : 0; }

std::string_view error_name(const model::FileCall& f) {
  const char* name = error_of(f) != 0 ? strerrorname_np(error_of(f)) : nullptr;
  return name ? name : "";
}

std::string file_text(const model::FileCall& f) {
  std::string text(act_text(f.act));
  text += " " + (f.path.empty() ? std::string("(path not known)") : printable(f.path));
  if (const int error = error_of(f); error != 0) {
    const char* name = strerrordesc_np(error);
    text += ": " + (name ? std::string(name) : "error " + std::to_string(error));
  } else if ((f.act == formats::FileAct::read || f.act == formats::FileAct::write) && f.result >= 0) {
    text += ": " + bytes_text(static_cast<std::uint64_t>(f.result));
  }
  return f.inferred ? text + " (inferred)" : text;
}

}  // namespace

void add_files(const model::RequestDetail& d, formats::Time zero, std::vector<FileLine>& lines,
               std::vector<std::string>& notes) {
  const std::string end(model::name_of(d.row.role));
  for (const auto& f : d.files.calls) lines.push_back({f.began - zero, f.ended - f.began, end, file_text(f)});
  if (d.files.more != 0) notes.push_back("and " + count_text(d.files.more) + " more at the " + end);
  if (d.files.doubtful != 0)
    notes.push_back(count_text(d.files.doubtful, "call", "calls") + " on files by its thread at the " + end +
                    " meanwhile, for it or for other requests, which is not known");
}

const Shape<model::FileCall, FilesFrom>& file_shape() {
  using model::FileCall;
  static const Shape<FileCall, FilesFrom> shape{
      "file_call",
      {
          {"act", [](auto& f) { return act_text(f.act); }, "", {.values = {"open", "read", "write", "sync"}}},
          {"from_ns", [](auto& f, auto& c) { return (f.began - c.zero).count(); }},
          {"to_ns", [](auto& f, auto& c) { return (f.ended - c.zero).count(); }},
          {"fs.file.path", or_null(&FileCall::path),
           "of an open as it was given, otherwise as the kernel names the file"},
          {"result", [](auto& f) { return when(f.result != model::kResultUnknown, f.result); }},
          {"error", [](auto& f) { return OrNull{error_name(f)}; }, "ENOENT, …"},
          {"tid", &FileCall::tid},
          {"evidence",
           [](auto& f) { return f.inferred ? "inferred" : "measured"; },
           "inferred: the only request that its event loop had under way",
           {.values = {"measured", "inferred"}}},
      }};
  return shape;
}

}  // namespace tailcap::report
