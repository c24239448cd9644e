// A page that stands alone: one file, no reference to anything outside, and a policy that forbids there to be one.
#pragma once

#include <string>
#include <string_view>

#include "analyze/render/document.h"

namespace tailcap::render {

// `body` is HTML already; `title` is text.
std::string page(std::string_view title, std::string_view body, const EmbeddedData& data = {});

// The files of script/, one after the other. Made at build time (embed.cmake), as are their hashes, "sha256-…": a
// page's policy names that of its script, and no other script runs.
std::string_view page_style();
std::string_view instrument_style();  // beside page_style, where there is an instrument
std::string_view page_script();       // sorts and searches tables, enlarges plots
std::string_view page_script_hash();
std::string_view instrument_script();  // that, and the instrument
std::string_view instrument_script_hash();

}  // namespace tailcap::render
