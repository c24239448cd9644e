#include "analyze/audit/names.h"

namespace tailcap::audit {

using model::audit::Named;

namespace {

std::string endpoint(const Who& who, std::uint16_t port) {
  if (!who.address) return "unknown";
  return port != 0 ? model::audit::ip_text(*who.address, port) : model::audit::ip_text(*who.address);
}

}  // namespace

Named named(const Who& who) {
  if (!who.pod.empty()) return {Named::Kind::pod, who.name_space + "/" + who.pod};
  if (!who.process.empty()) return {Named::Kind::process, who.process};
  if (who.address) return {Named::Kind::address, model::audit::ip_text(*who.address)};
  return {};
}

model::audit::Example example_of(const AuditedConnection& connection, const std::vector<Who>& who) {
  return {connection.first, endpoint(who[connection.client], connection.client_port),
          endpoint(who[connection.server], connection.server_port)};
}

}  // namespace tailcap::audit
