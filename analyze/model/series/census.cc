#include "analyze/model/series/census.h"

#include <string_view>

namespace tailcap::model {

std::string_view name_of(SeriesChange change) { return change == SeriesChange::drop ? "drop" : "without_numbers"; }

}  // namespace tailcap::model
