// The series of metrics, as text, Markdown, a page and JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyze/model/series/census.h"
#include "analyze/render/document.h"

namespace tailcap::report {

struct SeriesStudy {
  std::vector<model::Census> files;           // by time
  std::optional<model::SeriesGrowth> growth;  // from the first to the last
};

// most: rows of a table. The tables are those of the last file.
render::Document series_document(const SeriesStudy& study, std::size_t most);
std::string series_json(const SeriesStudy& study);
std::string series_schema();

}  // namespace tailcap::report
