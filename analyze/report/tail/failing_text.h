// Sentences about requests that failed.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// "27 of 206 requests failed (502)." Without subject. Printable.
std::string failed_text(const model::Verdict& verdict);
// " In all 27 the TLS handshake with 10.0.0.2:443 failed (unknown CA); this happened in none of the other 179."
std::string failing_text(const model::Verdict& verdict, const model::Study& study);
// What such failures can have been that no recording shows; empty where a cause is known.
std::string never_seen_text(const model::Verdict& verdict, const model::Study& study);

}  // namespace tailcap::report::tail
