// The report as one page that needs nothing else: opens from disk, on a phone, on paper, in the dark.
#pragma once

#include <span>
#include <string>

#include "analyze/flow/figure.h"
#include "analyze/flow/study.h"
#include "analyze/report/text.h"

namespace tailcap::report {

inline constexpr std::size_t kRoutesInPage = 50;    // rows of the table: more nobody reads, --json has them all
inline constexpr std::size_t kSectionsInPage = 12;  // routes with a section of their own
inline constexpr std::size_t kSlowestInPage = 25;

// figures: SVG, embeddable; those of routes beyond kSectionsInPage are not used. Of options, widths and numbers of
// rows do not apply here.
std::string html_report(const flow::Study& study, const flow::RequestTable& table, const flow::Figures& figures,
                        const ReportOptions& options, std::span<const flow::Course> courses = {});

}  // namespace tailcap::report
