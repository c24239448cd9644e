// What differs between two captures, as a document and as JSON.
#pragma once

#include <string>

#include "analyze/model/difference/difference.h"
#include "analyze/render/document.h"

namespace tailcap::report {

enum class DiffExtent : std::uint8_t {
  screen,  // what fits into a terminal
  full,    // everything
  page,    // with drawings
};

render::Document diff_document(const model::difference::Difference& difference, DiffExtent extent);

std::string diff_json(const model::difference::Difference& difference, const std::string& tailcap);
std::string diff_schema();

}  // namespace tailcap::report
