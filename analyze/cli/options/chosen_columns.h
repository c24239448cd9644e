// The columns of requests that a person chose: --columns id,route,duration.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/columns/column.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::cli {

class ChosenColumns {
 public:
  // Names as in --where and --json, with commas between them. Throws UsageError.
  explicit ChosenColumns(const std::string& names);

  bool empty() const { return columns_.empty(); }
  bool need(model::columns::Need what) const;

  // One text for each column, as people read them; what is unknown is "–".
  std::vector<std::string> cells(const model::columns::ColumnFacts& facts) const;
  // Adds the object of a request, without what is around it; what is unknown is null.
  void append(report::JsonWriter& json, const model::columns::ColumnFacts& facts) const;

  // Widens the columns, under the line of their names, to fit these cells.
  void make_room(const std::vector<std::string>& cells);
  std::string line(const std::vector<std::string>& cells) const;
  std::string head() const;

 private:
  std::vector<const model::columns::RequestColumn*> columns_;
  std::vector<std::string> names_;  // as given
  std::vector<std::size_t> widths_;
};

}  // namespace tailcap::cli
