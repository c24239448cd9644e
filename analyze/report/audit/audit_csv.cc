#include "analyze/report/audit/audit_report.h"
#include "analyze/report/words/csv.h"
#include "analyze/report/words/escape.h"
#include "ground/text.h"

namespace tailcap::report {

std::string audit_csv(const model::audit::Audit& audit) {
  std::string out = "verdict,who,direction,peer,port,connections,failed,first_ns,last_ns,by,missing\n";
  const auto wall = [&](formats::Time t) {
    return formats::known(t) && audit.clock.known() ? std::to_string(audit.clock.realtime(t)) : std::string();
  };
  const auto text = [](const std::string& value) {
    return value.empty() ? std::string() : csv_field(csv_text(printable(value)));
  };
  for (const auto& g : audit.groups) {
    std::vector<std::string_view> missing;
    for (std::size_t i = 0; i < model::audit::kMissing; ++i)
      if (const auto m = static_cast<model::audit::Missing>(i); g.missing & model::audit::bit(m))
        missing.push_back(name_of(m));
    const std::string cells[] = {std::string(name_of(g.verdict)),
                                 text(g.who.text),
                                 !g.directed  ? "unknown"
                                 : g.outgoing ? "to"
                                              : "from",
                                 text(g.peer.text),
                                 g.port != 0 ? std::to_string(g.port) : std::string(),
                                 std::to_string(g.connections.count),
                                 std::to_string(g.failed),
                                 wall(g.connections.first),
                                 wall(g.connections.last),
                                 text(ground::joined(g.by, "; ")),
                                 ground::joined(missing, "; ")};
    out += ground::joined(cells, ",") + "\n";
  }
  return out;
}

}  // namespace tailcap::report
