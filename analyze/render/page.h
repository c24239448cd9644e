// A page that stands alone: one file, no reference to anything outside, and a policy that forbids there to be one.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::render {

// `body` is HTML already; `title` is text.
std::string page(std::string_view title, std::string_view body);

std::string_view page_style();

// Sorts and searches tables, enlarges plots; its hash is the one that the page's policy names: no other script runs.
std::string_view page_script();
std::string_view page_script_hash();  // "sha256-…"

}  // namespace tailcap::render
