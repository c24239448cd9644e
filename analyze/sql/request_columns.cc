#include "analyze/sql/request_columns.h"

#include <string>
#include <vector>

#include "analyze/model/columns/columns.h"

namespace tailcap::sql {
namespace {

namespace columns = model::columns;

SqlType type_of(const columns::RequestColumn& column) {
  return column.type == columns::ColumnType::number || column.type == columns::ColumnType::boolean ? SqlType::integer
                                                                                                   : SqlType::text;
}

struct RequestColumns {
  std::vector<std::string> texts;
  std::vector<SqlColumn> columns;
  RequestColumns() {
    const auto all = columns::on(columns::Surface::sql);
    texts.reserve(all.size());  // columns has views of them
    for (const columns::RequestColumn* const column : all) {
      texts.push_back(columns::description(*column));
      columns.push_back({column->on(columns::Surface::sql).name, type_of(*column), texts.back()});
    }
    // Version 2 of the tables is without it.
    columns.push_back({"request_id", SqlType::text, "the name of id before; it goes with the next version", "id"});
  }
};

}  // namespace

std::span<const SqlColumn> request_columns() {
  static const RequestColumns of;
  return of.columns;
}

}  // namespace tailcap::sql
