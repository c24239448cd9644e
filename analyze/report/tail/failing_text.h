// Sentences about requests that failed.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// "27 of 206 requests failed (502). In all 27 the TLS handshake with 10.0.0.2:443 failed (unknown CA), and in none of
// the other 179." Without subject. Printable.
std::string failing_text(const model::Verdict& verdict, const model::Study& study);

}  // namespace tailcap::report::tail
