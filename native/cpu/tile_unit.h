// Whether this process may use the tile unit (AMX) of newer x86 servers.
#pragma once

namespace saferoute::cpu {

// True where this CPU has the instructions of kernels/int8_*.cc, or of kernels/bf16_*.cc, and the system lets the
// process use tiles. Asks the system once.
bool has_int8_tiles();
bool has_bf16_tiles();

}  // namespace saferoute::cpu
