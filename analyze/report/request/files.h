// A request's calls on files, in words and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/report/json/json_writer.h"
#include "formats/preamble.h"

namespace tailcap::report {

struct FileLine {
  formats::Duration from{}, length{};
  std::string end;   // "server", "client"
  std::string what;  // "open /etc/app.conf: No such file or directory"; printable
};

// zero: from when on times count. notes: what is left out.
void add_files(const model::RequestDetail& d, formats::Time zero, std::vector<FileLine>& lines,
               std::vector<std::string>& notes);

// "files", "files_left_out", "files_doubtful"; null where they were not recorded.
void append_files(JsonWriter& json, const model::FileCalls& files, const model::Request& row,
                  const formats::Preamble& preamble);

}  // namespace tailcap::report
