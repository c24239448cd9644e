// Summaries and what is learned from them, as text, Markdown, a page and JSON.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/summaries/baseline.h"
#include "analyze/model/summaries/scorecard.h"
#include "analyze/model/summaries/similar.h"
#include "analyze/render/document.h"
#include "formats/summary/summary.h"

namespace tailcap::report {

// Says how many rows of a table are not shown.
void more_rows(render::Document& out, std::size_t all, std::size_t most);

// most: rows of a table.
render::Document summary_document(const formats::Summary& summary, std::size_t most);
std::string summary_json(const formats::Summary& summary);
std::string summary_schema();

render::Document baseline_document(const model::BaselineStudy& study, std::size_t most);
std::string baseline_json(const model::BaselineStudy& study);
std::string baseline_schema();

// The tables of a scorecard, as chapters.
void add_score(render::Document& out, const model::Scorecard& scorecard);
render::Document scorecard_document(const model::Scorecard& scorecard);
std::string scorecard_json(const model::Scorecard& scorecard);
std::string scorecard_schema();

render::Document similar_document(const model::SimilarityStudy& study, std::size_t most);
std::string similar_json(const model::SimilarityStudy& study);
std::string similar_schema();

}  // namespace tailcap::report
