// What the recorder may do once its kernel programs are attached: see SECURITY.md for the list with its reasons.
#pragma once

namespace tailcap::capture {

// Gives up, in every thread of this process and for good, all capabilities but those that a recording goes on needing,
// and all ways to get others (no_new_privs, bounding set). It leaves no core dump, and other programs of the same user
// cannot look into it. Call it once the programs are attached, and the output and the control socket made: under a
// folder that belongs to another user root cannot make them any more. Processes forked before keep what they have.
// Throws std::system_error if the kernel refuses; then not to record is safer.
void give_up_privileges();

}  // namespace tailcap::capture
