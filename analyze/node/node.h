// A machine's troubles from the events of a recording of it: processes that come and go, shortage of memory, TCP,
// disks.
#pragma once

#include "analyze/model/machine/drop_table.h"
#include "analyze/model/study/node_study.h"
#include "analyze/model/wall_clock.h"
#include "analyze/node/links.h"
#include "analyze/node/names.h"
#include "analyze/node/peers.h"
#include "analyze/node/processes.h"
#include "analyze/node/shortage.h"

namespace tailcap::node {

class Node {
 public:
  explicit Node(const formats::Preamble& preamble);
  // One that is not `counted` lies outside the time that is asked about: it gives names only, and says what was lost.
  void push(const formats::Event& event, bool counted = true);
  // After the last event.
  model::NodeStudy study() const;

 private:
  model::NodeStudy study_;
  model::WallClock clock_;
  ProcessNames names_;
  ProcessTurnover processes_;
  Shortage shortage_;
  PeerTable peers_;
  LinkTroubles links_;
  model::DropTable drops_;
};

}  // namespace tailcap::node
