// Pieces of HTML that more than one page is made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/flow/study.h"
#include "analyze/report/quality.h"
#include "analyze/report/quantiles.h"

namespace tailcap::report {

// `text` is printable(), not HTML.
std::string element(std::string_view name, std::string_view text, std::string_view attributes = {});

// A cell of numbers: `key` is what it sorts by, `hint` what the mouse finds.
std::string cell(std::string_view inner_html, double key, std::string_view hint = {});

std::string quality_box_html(const flow::Study& study);
std::string notes_html(const Footnotes& notes);

// A bar of coloured stretches of known width, drawn to `scale` (the duration of the whole width).
struct Stretch {
  std::string_view name, colour;
  std::int64_t ns = 0;
};
std::string bar_html(const std::vector<Stretch>& stretches, std::int64_t scale);
std::vector<Stretch> phase_stretches(const flow::Request& row);
std::string legend_html(const std::vector<Stretch>& entries);

std::string definitions_html();
std::string footer_html(const flow::Study& study);

}  // namespace tailcap::report
