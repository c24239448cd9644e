// The sentences of a difference. A is the first capture, B the second. Everything returned is printable().
#pragma once

#include <string>
#include <vector>

#include "analyze/model/difference/difference.h"

namespace tailcap::report {

// "3.05 ms → 23.2 ms".
std::string levels_text(const model::difference::Contrast& c);
// "+20.1 %", "+5.00 ms"; with its interval: "+20.1 % (+12.3 % … +28.9 %)".
std::string contrast_text(const model::difference::Contrast& c);

// What changed, in a sentence, or that nothing did.
std::string headline(const model::difference::Difference& d);
// A change with its reason. place: in Difference::changes.
std::string change_sentence(const model::difference::Difference& d, std::size_t place);
// How the loads differ: "B had 2.1 × the requests: 105/s, A 50.0/s".
std::string load_sentence(const model::difference::Difference& d);
// Waits for CPUs, where they differ; empty: they do not.
std::string cpu_sentence(const model::difference::Difference& d);
// What could have been found in the routes with most requests; empty: nothing was compared.
std::vector<std::string> detectable_lines(const model::difference::Difference& d, std::size_t most);
// What limits what is said.
std::vector<std::string> remarks(const model::difference::Difference& d);

}  // namespace tailcap::report
