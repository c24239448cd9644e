#include "analyze/report/request/files.h"

#include <algorithm>
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

void append_files(JsonWriter& json, const model::FileCalls& files, const model::Request& row,
                  const formats::Preamble& preamble) {
  json.key("files");
  const bool recorded = std::any_of(preamble.programs.begin(), preamble.programs.end(),
                                    [](const auto& name) { return name.starts_with("file_"); });
  if (!recorded && files.empty()) {
    json.null();
    json.key("files_left_out");
    json.null();
    json.key("files_doubtful");
    json.null();
    return;
  }
  json.begin_array();
  for (const auto& f : files.calls) {
    json.begin_object();
    json.field("act", act_text(f.act));
    json.field("from_ns", (f.began - row.start).count());
    json.field("to_ns", (f.ended - row.start).count());
    json.key("fs.file.path");
    json.text_or_null(f.path);
    json.key("result");
    if (f.result == model::kResultUnknown)
      json.null();
    else
      json.number(f.result);
    const int error = error_of(f);
    const char* name = error != 0 ? strerrorname_np(error) : nullptr;
    json.key("error");
    json.text_or_null(name ? name : "");
    json.field("tid", f.tid);
    json.field("evidence", f.inferred ? "inferred" : "measured");
    json.end_object();
  }
  json.end_array();
  json.field("files_left_out", files.more);
  json.field("files_doubtful", files.doubtful);
}

}  // namespace tailcap::report
