// An audit of network policies, for people and for machines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analyze/model/audit/audit.h"
#include "analyze/render/document.h"
#include "analyze/report/json/provenance.h"

namespace tailcap::report {

// most: rows of a list.
render::Document audit_document(const model::audit::Audit& audit, const std::string& capture, std::size_t most);

// files: those with policies, and the list of pods. tailcap: the version.
std::string audit_json(const model::audit::Audit& audit, const std::string& capture,
                       const std::vector<Provenance>& files, const std::string& tailcap);
std::string audit_schema();  // of it

// A row for each group of connections.
std::string audit_csv(const model::audit::Audit& audit);

// What is not known, in words.
std::string missing_text(model::audit::MissingSet missing);

}  // namespace tailcap::report
