#include <algorithm>
#include <array>

#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"

namespace tailcap::model::columns {
namespace {

// The places of phases in those of a role; that many: it has none of the kind.
std::size_t place_of(Phase phase, Role role) {
  static const auto places = [] {
    std::array<std::array<std::size_t, kPhases>, 2> out{};
    for (const Role of : {Role::server, Role::client}) {
      const auto phases = phases_of(of);
      for (std::size_t p = 0; p < kPhases; ++p)
        out[static_cast<std::size_t>(of)][p] =
            static_cast<std::size_t>(std::ranges::find(phases, static_cast<Phase>(p)) - phases.begin());
    }
    return out;
  }();
  return places[static_cast<std::size_t>(role)][static_cast<std::size_t>(phase)];
}

template <Phase phase>
ColumnValue phase_of(const ColumnFacts& f) {
  const std::size_t place = place_of(phase, f.row.role);
  return !f.row.has_phases || place >= f.row.phases.size() ? ColumnValue{} : ColumnValue{f.row.phases[place]};
}

// Milestones are where phases end: the sum of the first `phases`.
template <Role role, std::size_t phases>
ColumnValue milestone_of(const ColumnFacts& f) {
  if (!f.row.has_phases || f.row.role != role) return {};
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < phases; ++i) sum += f.row.phases[i];
  return sum;
}

// Each role has its own.
constexpr RequestColumn of_role(const RequestColumn& column) {
  return column.omitted_where(RequestColumn::Omitted::unknown);
}

constexpr RequestColumn kPhaseColumns[] = {
    of_role(duration("phases.arrive", "server: until the read that took the first byte", phase_of<Phase::arrive>)),
    of_role(duration("phases.read", "server: until the read of the request's last byte", phase_of<Phase::read>)),
    of_role(duration("phases.send", "client: until the request's last byte was sent", phase_of<Phase::send>)),
    of_role(duration("phases.continue", "until 100 Continue was sent (server) or read (client)",
                     phase_of<Phase::continue_>)),
    of_role(duration("phases.pipelined", "until the previous response on the connection ended",
                     phase_of<Phase::pipelined>)),
    of_role(duration("phases.work", "server: until the response's first byte was sent", phase_of<Phase::work>)),
    of_role(duration("phases.respond", "server: until the response's last byte was sent", phase_of<Phase::respond>)),
    of_role(duration("phases.ttfb", "client: until the response's first byte arrived", phase_of<Phase::ttfb>)),
    of_role(duration("phases.pickup", "client: until that was read", phase_of<Phase::pickup>)),
    of_role(duration("phases.body", "client: until the response's last byte was read", phase_of<Phase::body>)),
    of_role(duration("milestones.request_first_read_ns", "server: from the start until the first byte was read",
                     milestone_of<Role::server, 1>)),
    of_role(duration("milestones.request_read_ns",
                     "server: from the start until the request was read and 100 Continue sent",
                     milestone_of<Role::server, 3>)),
    of_role(duration("milestones.response_begun_ns", "server: from the start until the response's first byte was sent",
                     milestone_of<Role::server, 5>)),
    of_role(duration("milestones.response_sent_ns", "server: from the start until the response's last byte was sent",
                     milestone_of<Role::server, 6>)),
    of_role(duration("milestones.request_sent_ns",
                     "client: from the start until the request was sent and 100 Continue read",
                     milestone_of<Role::client, 2>)),
    of_role(duration("milestones.response_arrived_ns", "client: from the start until the response's first byte arrived",
                     milestone_of<Role::client, 4>)),
    of_role(duration("milestones.response_first_read_ns", "client: from the start until that was read",
                     milestone_of<Role::client, 5>)),
    of_role(duration("milestones.response_read_ns", "client: from the start until the response's last byte was read",
                     milestone_of<Role::client, 6>)),
    nested("labels", "what kept it from going on: phase, label, evidence and ns; filters have labels.NAME, in ns")
        .needing(kAccount)
        .at_its_end()
        .clickhouse("label", 27, "Nested(name String, ns UInt64)"),
    nested("culprits", "who or what was behind the labels").needing(kAccount).at_its_end(),
};

}  // namespace

std::span<const RequestColumn> phase_columns() { return kPhaseColumns; }

}  // namespace tailcap::model::columns
