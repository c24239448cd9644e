#include "analyze/model/difference/side.h"

namespace tailcap::model::difference {

std::string_view name_of(Setting::Kind kind) {
  constexpr std::string_view names[] = {"machine", "recorder", "program", "note"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace tailcap::model::difference
