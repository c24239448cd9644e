// Any text as a filter: refused with a message, or evaluated.
#include <cassert>
#include <cstdint>
#include <string_view>

#include "analyze/query/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap;
  model::RequestTable table;
  model::Request row;
  row.path = table.texts.intern("/users/17");
  row.has_duration = true;
  row.taints = 3;
  try {
    const query::Filter filter(std::string_view(reinterpret_cast<const char*>(data), size));
    filter.matches(model::columns::ColumnFacts(table, row));
    const model::Request nothing;
    filter.matches(model::columns::ColumnFacts(table, nothing));
  } catch (const query::FilterError& e) {
    assert(std::string_view(e.what()).find('^') != std::string_view::npos);
  }
  return 0;
}
