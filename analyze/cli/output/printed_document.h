// A document in the format that a user chose.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/render/document.h"

namespace tailcap::cli {

// "md", "html", otherwise text, in colours where it goes to a terminal. output: where it goes, as OutputFile has it;
// width: columns of text.
std::string printed_document(const render::Document& document, const std::string& format, const std::string& output,
                             std::size_t width);

}  // namespace tailcap::cli
