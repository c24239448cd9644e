// The columns of a request themselves, as text and as lines of JSON: for people, and for what documents and schemas are
// made of.
#pragma once

#include <string>

namespace tailcap::report {

// Name, type and meaning, a line each. "tls_handshake (setup.tls_ns)": the short form that filters have beside it.
std::string columns_text();
// Likewise with everything that is known of it, an object per line; docs/JSON.md.
std::string columns_json();

}  // namespace tailcap::report
