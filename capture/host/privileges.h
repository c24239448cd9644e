// Privileges of the recorder once its kernel programs are attached: see SECURITY.md for the list with its reasons.
#pragma once

namespace tailcap::capture {

// The calling thread keeps CAP_SYS_NICE in give_up_privileges(), and nothing else: it changes what the other threads
// are for the scheduler. False: it does not have it.
bool keep_nice();

// Gives up, in every thread of this process and permanently, all capabilities that a running recording does not need,
// and all ways to get others (no_new_privs, bounding set). Disables core dumps; other programs of the same user cannot
// inspect the process. Call it after the programs are attached and the output and the control socket exist: afterwards
// root cannot make them in a folder that belongs to another user. Processes forked before keep their privileges. Throws
// std::system_error if the kernel refuses; then it is safer not to record.
// command_of_other_user: this process has to end one that runs as another user, and keeps the right to do so.
void give_up_privileges(bool command_of_other_user);

}  // namespace tailcap::capture
