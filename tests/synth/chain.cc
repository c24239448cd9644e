#include "tests/synth/chain.h"

#include <algorithm>
#include <sstream>

#include "analyze/model/request.h"
#include "formats/event.h"

namespace tailcap::synth {

model::Findings Chain::findings() const {
  model::Findings all = streams.findings();
  all.add(parsers.findings());
  all.add(exchanges.findings());
  return all;
}

Result analyse(std::span<const formats::Event> events) {
  Chain chain;
  Result result;
  const auto keep = [&](const model::Exchange& e) { result.exchanges.push_back(e); };
  formats::Time last = formats::kNoTime;
  bool ended = false;
  for (const formats::Event& e : events) {
    chain.push(e, keep);
    last = std::max(last, e.time);
    ended = std::holds_alternative<formats::CaptureEnd>(e.body);
  }
  if (!ended) chain.push({last, {}, formats::CaptureEnd{}}, keep);
  std::sort(result.exchanges.begin(), result.exchanges.end(),
            [](const model::Exchange& a, const model::Exchange& b) { return a.id < b.id; });
  result.findings = chain.findings();
  return result;
}

namespace {

void print(std::ostream& out, const char* name, const model::Instants& i) {
  out << name << ' ' << formats::nanoseconds(i.first_arrived) << ' ' << formats::nanoseconds(i.last_arrived) << ' '
      << formats::nanoseconds(i.first_done) << ' ' << formats::nanoseconds(i.last_done) << '\n';
}

void print(std::ostream& out, const char* name, const std::optional<std::uint64_t>& n) {
  out << name << ' ';
  if (n)
    out << *n << '\n';
  else
    out << "unknown\n";
}

void print(std::ostream& out, const char* name, const model::Headers& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i)
    out << name << ' ' << headers[i].name << ": " << headers[i].value << '\n';
}

}  // namespace

std::string describe(const model::Exchange& e) {
  std::ostringstream out;
  out << "id " << e.id.connection << '.' << e.id.index << '\n'
      << "role " << name_of(e.role) << '\n'
      << "protocol " << name_of(e.protocol) << '\n'
      << "outcome " << name_of(e.outcome) << '\n'
      << "complete " << e.complete << '\n'
      << "request " << e.method << ' ' << e.target << '\n'
      << "authority " << e.authority << '\n'
      << "status " << e.status << '\n'
      << "heads " << e.request_headers_complete << ' ' << e.response_headers_complete << '\n';
  print(out, "request_header", e.request_headers);
  print(out, "response_header", e.response_headers);
  print(out, "request_bytes", e.request_bytes);
  print(out, "response_bytes", e.response_bytes);
  print(out, "request_instants", e.request);
  print(out, "response_instants", e.response);
  out << "head_done " << formats::nanoseconds(e.request_head_done) << '\n'
      << "body_arrived " << formats::nanoseconds(e.request_body_arrived) << '\n'
      << "continue_done " << formats::nanoseconds(e.continue_done) << ' ' << e.expects_continue << ' '
      << e.interim_responses << '\n'
      << "predecessor_done " << formats::nanoseconds(e.predecessor_done) << '\n'
      << "threads " << e.reader.tid << ' ' << e.writer.tid << '\n'
      << "begin " << e.request_begin << '\n'
      << "opaque " << e.opaque_in << ' ' << e.opaque_out << '\n'
      << "taints";
  for (const auto name : model::names_of(e.taints)) out << ' ' << name;
  out << '\n';
  return out.str();
}

std::string describe(const std::vector<model::Exchange>& exchanges) {
  std::string all;
  for (const model::Exchange& e : exchanges) all += describe(e) + '\n';
  return all;
}

}  // namespace tailcap::synth
