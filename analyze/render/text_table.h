// A table on a terminal. Where it does not fit, names are broken into lines first; then the names of a row get a line
// of their own; then each row becomes a paragraph of labelled values. A table
// without names is not broken.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/render/document.h"

namespace tailcap::render {

std::string table_text(const Table& table, std::size_t width);

}  // namespace tailcap::render
