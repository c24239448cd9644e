// A request's calls on files, in words and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/report/json/shape.h"

namespace tailcap::report {

struct FileLine {
  formats::Duration from{}, length{};
  std::string end;   // "server", "client"
  std::string what;  // "open /etc/app.conf: No such file or directory"; printable
};

// zero: from when on times count. notes: what is left out.
void add_files(const model::RequestDetail& d, formats::Time zero, std::vector<FileLine>& lines,
               std::vector<std::string>& notes);

// A call as JSON, from a time on.
struct FilesFrom {
  formats::Time zero;
};
const Shape<model::FileCall, FilesFrom>& file_shape();

}  // namespace tailcap::report
