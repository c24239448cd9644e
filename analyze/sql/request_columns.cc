#include "analyze/sql/request_columns.h"

#include <string>
#include <vector>

#include "analyze/model/columns/columns.h"

namespace tailcap::sql {
namespace {

namespace columns = model::columns;

Type type_of(const columns::Column& column) {
  return column.type == columns::Type::number || column.type == columns::Type::boolean ? Type::integer : Type::text;
}

struct RequestColumns {
  std::vector<std::string> texts;
  std::vector<Column> columns;
  RequestColumns() {
    const auto all = columns::on(columns::Surface::sql);
    texts.reserve(all.size());  // columns has views of them
    for (const columns::Column* const column : all) {
      texts.push_back(columns::description(*column));
      columns.push_back({column->on(columns::Surface::sql).name, type_of(*column), texts.back()});
    }
    // Version 2 of the tables is without it.
    columns.push_back({"request_id", Type::text, "the name of id before; it goes with the next version", "id"});
  }
};

}  // namespace

std::span<const Column> request_columns() {
  static const RequestColumns of;
  return of.columns;
}

}  // namespace tailcap::sql
